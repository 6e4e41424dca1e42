import { describe, expect, it } from "vitest";
import type { AlertPage } from "../api/types.ts";
import { alertOf } from "./alertOf.ts";
import { type FeedState, openFeed } from "./feed.ts";

function page(openings: readonly number[], next: string | null): AlertPage {
  const alerts = openings.map((openedAt) => alertOf({ alertId: `a${openedAt}`, openedAt }));
  return { alerts, next };
}

/** A feed over scripted pages: what it asked for, and its last state. */
function feed(...pages: Array<AlertPage | Error>) {
  const asked: Array<string | null> = [];
  const states: FeedState[] = [];
  const opened = openFeed({
    client: {
      async listAlerts(_filter, after) {
        asked.push(after);
        const next = pages.shift();
        if (next === undefined || next instanceof Error) {
          throw next ?? new Error("asked too often");
        }
        return next;
      },
    },
    filter: { state: "open", acknowledged: "", severity: "", devices: "" },
    onChange: (state) => states.push(state),
  });
  const settle = () => new Promise((resolve) => setTimeout(resolve));
  const last = () => states.at(-1) as FeedState;
  const shown = () => last().alerts.map(({ openedAt }) => openedAt);
  return { asked, opened, settle, last, shown };
}

describe("feed", () => {
  it("keeps the newest fresh and older pages as they are", async () => {
    const { asked, opened, settle, last, shown } = feed(
      page([9, 8], "8"),
      page([7, 6], "6"),
      page([10, 9], "9"),
      page([5], null),
    );
    await settle();
    opened.more();
    await settle();
    opened.refresh();
    await settle();
    expect(shown()).toEqual([10, 9, 8, 7, 6]);
    opened.more();
    await settle();
    expect(asked).toEqual([null, "8", null, "6"]);
    expect(shown()).toEqual([10, 9, 8, 7, 6, 5]);
    expect(last()).toMatchObject({ loading: false, more: false, problem: null });
  });

  it("goes on behind the fresh page when more came than it holds", async () => {
    const { asked, opened, settle, shown } = feed(
      page([9, 8], "8"),
      page([7, 6], "6"),
      page([20, 19], "19"),
      page([18, 9], "9"),
    );
    await settle();
    opened.more();
    await settle();
    opened.refresh();
    await settle();
    expect(shown()).toEqual([20, 19]);
    opened.more();
    await settle();
    expect(asked).toEqual([null, "8", null, "19"]);
    expect(shown()).toEqual([20, 19, 18, 9]);
  });

  it("asks on behind an empty page, but not for ever", async () => {
    const { asked, settle, last } = feed(
      ...["1", "2", "3", "4", "5", "6", "7"].map((next) => page([], next)),
    );
    await settle();
    expect(asked).toEqual([null, "1", "2", "3", "4", "5"]);
    expect(last()).toMatchObject({ loading: false, more: true });
  });

  it("looks again after a request when it was asked to meanwhile", async () => {
    const { asked, opened, settle, shown } = feed(page([1], null), page([2, 1], null));
    opened.refresh();
    opened.refresh();
    await settle();
    expect(asked).toEqual([null, null]);
    expect(shown()).toEqual([2, 1]);
  });

  it("says what failed and shows what it has", async () => {
    const { opened, settle, last, shown } = feed(page([1], null), new Error("away"));
    await settle();
    opened.refresh();
    await settle();
    expect(last()).toMatchObject({ loading: false, problem: "away" });
    expect(shown()).toEqual([1]);
  });

  it("is silent once it is closed", async () => {
    const { opened, settle, last } = feed(page([1], null));
    opened.close();
    await settle();
    expect(last()).toBeUndefined();
  });
});
