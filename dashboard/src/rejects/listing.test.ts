import { describe, expect, it } from "vitest";
import { ApiFailure } from "../api/failure.ts";
import type { Reject, RejectPage } from "../api/types.ts";
import { type ListingState, MOST_REJECTS, openListing } from "./listing.ts";

function reject(sequence: number): Reject {
  return {
    enqueuedAt: sequence,
    deviceId: "d1",
    reason: "malformed",
    detail: "",
    hub: "telemetry",
    partition: "0",
    sequence,
    index: 0,
    count: 1,
    text: "",
    cut: false,
  };
}

function pageOf(count: number, next: string | null): RejectPage {
  return { rejects: Array.from({ length: count }, (_, n) => reject(n)), next };
}

/** A listing over scripted pages: what it asked for, its last state, and the listing itself. */
function listing(...pages: Array<RejectPage | Error>) {
  const asked: Array<string | null> = [];
  const states: ListingState[] = [];
  const opened = openListing({
    client: {
      async listRejects(_filter, after) {
        asked.push(after);
        const page = pages.shift();
        if (page === undefined || page instanceof Error) {
          throw page ?? new Error("asked too often");
        }
        return page;
      },
    },
    filter: { deviceId: "", reason: "" },
    onChange: (state) => states.push(state),
  });
  const settle = () => new Promise((resolve) => setTimeout(resolve));
  return { asked, opened, settle, last: () => states.at(-1) as ListingState };
}

describe("listing", () => {
  it("begins with the newest and goes on where it ended", async () => {
    const { asked, opened, settle, last } = listing(pageOf(2, "a"), pageOf(1, null));
    await settle();
    expect(last()).toMatchObject({ loading: false, more: true, problem: null });
    opened.more();
    await settle();
    expect(asked).toEqual([null, "a"]);
    expect(last()).toMatchObject({ more: false, full: false });
    expect(last().rejects).toHaveLength(3);
  });

  it("follows empty pages, but not for ever", async () => {
    const empty = ["1", "2", "3", "4", "5", "6", "7"].map((next) => pageOf(0, next));
    const { asked, settle, last } = listing(...empty);
    await settle();
    expect(asked).toEqual([null, "1", "2", "3", "4"]);
    expect(last()).toMatchObject({ loading: false, more: true });
  });

  it("stops at a cursor that stands still", async () => {
    const { asked, settle, last } = listing(pageOf(0, "a"), pageOf(0, "a"), pageOf(0, "a"));
    await settle();
    expect(asked).toEqual([null, "a"]);
    expect(last().more).toBe(false);
  });

  it("keeps no more than it has room for, and says so", async () => {
    const { settle, last } = listing(pageOf(MOST_REJECTS + 1, "a"));
    await settle();
    expect(last().rejects).toHaveLength(MOST_REJECTS);
    expect(last()).toMatchObject({ more: false, full: true });
  });

  it("says what failed, and tries again when asked", async () => {
    const failure = new ApiFailure("refused", "/api/rejects answered 503");
    const { opened, settle, last } = listing(failure, pageOf(1, null));
    await settle();
    expect(last()).toMatchObject({ loading: false, problem: "/api/rejects answered 503" });
    opened.more();
    await settle();
    expect(last()).toMatchObject({ problem: null });
    expect(last().rejects).toHaveLength(1);
  });

  it("is silent once it is closed", async () => {
    const { opened, settle, last } = listing(pageOf(1, null));
    opened.close();
    await settle();
    expect(last()).toMatchObject({ loading: true, rejects: [] });
  });
});
