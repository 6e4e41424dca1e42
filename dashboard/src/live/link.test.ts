import { describe, expect, it } from "vitest";
import { type LinkEvent, NEW_LINK, nextLink, pollInterval, standing } from "./link.ts";

const T = 1_000_000;

function linkAfter(...events: readonly LinkEvent[]) {
  return events.reduce(nextLink, NEW_LINK);
}

const pollOk: LinkEvent = { type: "poll-ok", at: T, foundNews: true };
const connected: LinkEvent = { type: "hub-connected", at: T };
const update: LinkEvent = { type: "update", at: T };
const attemptFailed: LinkEvent = { type: "hub-attempt-failed" };

describe("standing", () => {
  it.each([
    ["connecting", "at first", []],
    ["connecting", "with a poll, but no hub yet", [pollOk]],
    ["quiet", "connected, before the first update", [pollOk, connected]],
    ["live", "while updates come", [pollOk, connected, update]],
    ["live", "while updates come, whatever polls do", [{ type: "poll-failed" }, connected, update]],
    ["reconnecting", "when the hub is lost", [pollOk, connected, update, { type: "hub-lost" }]],
    ["delayed", "when the hub stays away", [pollOk, attemptFailed, attemptFailed, attemptFailed]],
    [
      "offline",
      "when polls fail as well",
      [connected, update, { type: "hub-lost" }, { type: "poll-failed" }],
    ],
    [
      "signed-out",
      "at a 401, above all else",
      [pollOk, connected, update, { type: "unauthorized" }],
    ],
  ] as const)("is %s %s", (expected, _when, events) => {
    expect(standing(linkAfter(...events), 1, T)).toBe(expected);
  });

  it("is no-data while no device is known", () => {
    expect(standing(linkAfter(pollOk, connected), 0, T)).toBe("no-data");
  });

  it("stops being live 15 seconds after the last update", () => {
    const link = linkAfter(pollOk, connected, update);
    expect(standing(link, 1, T + 15_000)).toBe("live");
    expect(standing(link, 1, T + 15_001)).toBe("quiet");
  });

  it("is delayed when a poll finds what live messages should have brought", () => {
    const silent = linkAfter(pollOk, connected, update);
    const found = nextLink(silent, { type: "poll-ok", at: T + 16_000, foundNews: true });
    expect(standing(found, 1, T + 16_000)).toBe("delayed");
    const nothing = nextLink(silent, { type: "poll-ok", at: T + 16_000, foundNews: false });
    expect(standing(nothing, 1, T + 16_000)).toBe("quiet");
  });

  it("is not delayed for a poll that overtakes a live message", () => {
    const link = linkAfter(pollOk, connected, update, {
      type: "poll-ok",
      at: T + 5_000,
      foundNews: true,
    });
    expect(standing(link, 1, T + 15_001)).toBe("quiet");
  });

  it("is live again with the next update", () => {
    const delayed = linkAfter(pollOk, connected, update, {
      type: "poll-ok",
      at: T + 16_000,
      foundNews: true,
    });
    const link = nextLink(delayed, { type: "update", at: T + 17_000 });
    expect(standing(link, 1, T + 17_000)).toBe("live");
  });

  it("forgets failed attempts once connected", () => {
    const link = linkAfter(pollOk, attemptFailed, attemptFailed, attemptFailed, connected);
    expect(link.failedAttempts).toBe(0);
    expect(standing(link, 1, T)).toBe("quiet");
  });
});

describe("polling", () => {
  it.each([
    [30_000, "while live", [pollOk, connected, update]],
    [10_000, "while the hub is away", [pollOk, connected, update, { type: "hub-lost" }]],
    [10_000, "after a failed poll", [connected, update, { type: "poll-failed" }]],
  ] as const)("is every %i ms %s", (expected, _when, events) => {
    expect(pollInterval(linkAfter(...events), T)).toBe(expected);
  });

  it("is quicker when no update came for 15 seconds", () => {
    expect(pollInterval(linkAfter(pollOk, connected, update), T + 15_001)).toBe(10_000);
  });
});
