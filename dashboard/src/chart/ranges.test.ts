import { describe, expect, it } from "vitest";
import { brush, parseRange, spanOf, wholeView, zoom } from "./ranges.ts";
import { scoreTicks, temperatureRange, timeLabels } from "./ticks.ts";

const HOUR = 3_600_000;
const WHOLE = { min: 0, max: 100_000 };

describe("ranges", () => {
  it("end at the device's newest reading, not at the viewer's clock", () => {
    expect(spanOf("1h", 10 * HOUR)).toEqual({ from: 9 * HOUR });
    expect(spanOf("all", 10 * HOUR)).toEqual({ from: 0 });
  });

  it("come from links, if they name one", () => {
    expect(parseRange("7d")).toBe("7d");
    expect(parseRange("9d")).toBeNull();
    expect(parseRange(null)).toBeNull();
  });

  it("show at least a few seconds of a device with a single reading", () => {
    const { min, max } = wholeView("all", 1_000_000, 1_000_000);
    expect(max - min).toBe(5_000);
  });
});

describe("zoom", () => {
  it("halves and doubles around the middle", () => {
    const closer = zoom(WHOLE, 0.5, WHOLE);
    expect(closer).toEqual({ min: 25_000, max: 75_000 });
    expect(closer === null || zoom(closer, 2, WHOLE)).toBeNull();
  });

  it("stays inside the range", () => {
    expect(zoom({ min: 0, max: 20_000 }, 2, WHOLE)).toEqual({ min: 0, max: 40_000 });
    expect(brush(90_000, 120_000, WHOLE)).toEqual({ min: 70_000, max: 100_000 });
  });

  it("goes no closer than five seconds", () => {
    expect(brush(50_000, 50_010, WHOLE)).toEqual({ min: 47_505, max: 52_505 });
  });
});

describe("ticks", () => {
  it("name the day once for each day", () => {
    const start = Date.UTC(2026, 0, 2, 12) / 1000;
    const labels = timeLabels([start, start + 3600], 3600);
    expect(labels[0]).toMatch(/^\d\d:00\n\d+ Jan$/);
    expect(labels[1]).toMatch(/^\d\d:00$/);
  });

  it("name days and months when they are far apart", () => {
    const start = Date.UTC(2026, 0, 15, 12) / 1000;
    expect(timeLabels([start], 86_400)).toEqual(["15 Jan"]);
    expect(timeLabels([start], 28 * 86_400)).toEqual(["Jan 2026"]);
  });

  it.each([
    [2, [0, 1]],
    [8, [0, 1, 3]],
    [40, [0, 1, 3, 10, 30]],
    [500, [0, 1, 10, 100]],
    [2e6, [0, 1, 1_000, 1_000_000]],
  ])("reach up to a score of %d", (highest, expected) => {
    expect(scoreTicks(highest)).toEqual(expected);
  });

  it("do not blow noise up to fill the chart", () => {
    expect(temperatureRange(20, 20.01)).toEqual([19.5, 20.51]);
    expect(temperatureRange(null, null)).toEqual([0, 40]);
  });
});
