import { describe, expect, it } from "vitest";
import type { DeviceRow } from "../api/types.ts";
import { bringsNews, EMPTY_FLEET, mergeListing, mergeUpdate, statusesDiffer } from "./fleet.ts";

function row(deviceId: string, timestamp: number, part: Partial<DeviceRow> = {}): DeviceRow {
  return {
    deviceId,
    status: "normal",
    timestamp,
    temperature: 20,
    expected: null,
    error: null,
    score: null,
    anomaly: false,
    lastAnomalyAt: null,
    ...part,
  };
}

describe("live messages", () => {
  const fleet = mergeUpdate(EMPTY_FLEET, [row("a", 100), row("b", 200)]);

  it("bring devices and the newest time", () => {
    expect([...fleet.rows.keys()]).toEqual(["a", "b"]);
    expect(fleet.newestReadingAt).toBe(200);
  });

  it("replace a row by a newer one only", () => {
    const next = mergeUpdate(fleet, [row("a", 101, { temperature: 21 }), row("b", 199)]);
    expect(next.rows.get("a")?.temperature).toBe(21);
    expect(next.rows.get("b")?.timestamp).toBe(200);
  });

  it("come to the same in any order", () => {
    const messages = [row("a", 300), row("a", 100), row("a", 200)];
    const forth = messages.reduce((known, next) => mergeUpdate(known, [next]), EMPTY_FLEET);
    const back = messages.reduceRight((known, next) => mergeUpdate(known, [next]), EMPTY_FLEET);
    expect(forth).toEqual(back);
    expect(forth.rows.get("a")?.timestamp).toBe(300);
  });

  it("take the newest of several rows of a device in one message", () => {
    const next = mergeUpdate(EMPTY_FLEET, [row("a", 300), row("a", 100)]);
    expect(next.rows.get("a")?.timestamp).toBe(300);
  });

  it("leave the very same fleet when they bring nothing new", () => {
    expect(mergeUpdate(fleet, [row("a", 100, { temperature: 99 })])).toBe(fleet);
  });
});

describe("listings", () => {
  const fleet = mergeUpdate(EMPTY_FLEET, [row("a", 100), row("b", 200)]);

  it("forget devices that are gone", () => {
    const next = mergeListing(fleet, [row("a", 100)], fleet);
    expect([...next.rows.keys()]).toEqual(["a"]);
    expect(next.newestReadingAt).toBe(100);
  });

  it("keep devices that a live message touched while the listing was under way", () => {
    const meanwhile = mergeUpdate(fleet, [row("b", 250), row("c", 260)]);
    const next = mergeListing(meanwhile, [row("a", 100)], fleet);
    expect([...next.rows.keys()]).toEqual(["a", "b", "c"]);
  });

  it("do not bring back older readings", () => {
    const meanwhile = mergeUpdate(fleet, [row("a", 300)]);
    const next = mergeListing(meanwhile, [row("a", 150), row("b", 200)], fleet);
    expect(next).toBe(meanwhile);
  });

  it("correct a row of the same time", () => {
    const next = mergeListing(fleet, [row("a", 100, { status: "learning" }), row("b", 200)], fleet);
    expect(next.rows.get("a")?.status).toBe("learning");
  });

  it("leave the very same fleet when nothing changed", () => {
    expect(mergeListing(fleet, [row("a", 100), row("b", 200)], fleet)).toBe(fleet);
  });
});

it("tells news and changed statuses", () => {
  const fleet = mergeUpdate(EMPTY_FLEET, [row("a", 100)]);
  expect(bringsNews(fleet, [row("a", 100)])).toBe(false);
  expect(bringsNews(fleet, [row("a", 101)])).toBe(true);
  const anomalous = row("a", 101, { status: "anomaly", anomaly: true });
  expect(statusesDiffer(fleet, mergeUpdate(fleet, [anomalous]), [anomalous])).toBe(true);
  const calm = row("a", 101);
  expect(statusesDiffer(fleet, mergeUpdate(fleet, [calm]), [calm])).toBe(false);
});
