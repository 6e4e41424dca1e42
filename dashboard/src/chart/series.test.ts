import { describe, expect, it } from "vitest";
import type { Reading } from "../api/types.ts";
import { anomalyRuns } from "./marks.ts";
import { findGaps, growSeries, MAX_READINGS, mergeReadings, nearestIndex } from "./series.ts";

function reading(timestamp: number, part: Partial<Reading> = {}): Reading {
  const rest = { temperature: 20, expected: 20, error: 0.1, score: 0.2, anomaly: false };
  return { timestamp, ...rest, ...part };
}

function series(...times: readonly number[]): readonly Reading[] {
  return times.map((time) => reading(time));
}

function times(readings: readonly Reading[]): readonly number[] {
  return readings.map(({ timestamp }) => timestamp);
}

describe("merging", () => {
  it.each([
    [
      [1, 2, 3],
      [4, 5],
      [1, 2, 3, 4, 5],
    ],
    [
      [1, 3, 5],
      [2, 4],
      [1, 2, 3, 4, 5],
    ],
    [
      [4, 5],
      [1, 2],
      [1, 2, 4, 5],
    ],
    [[], [1], [1]],
    [[1], [], [1]],
  ])("%j with %j", (older, newer, expected) => {
    expect(times(mergeReadings(series(...older), series(...newer)))).toEqual(expected);
  });

  it("lets the newer part correct a reading of the same time", () => {
    const merged = mergeReadings(series(1, 2), [reading(2, { temperature: 30 })]);
    expect(merged.map(({ temperature }) => temperature)).toEqual([20, 30]);
  });

  it("drops the oldest readings beyond the bound", () => {
    const many = Array.from({ length: MAX_READINGS }, (_, index) => reading(index));
    const merged = mergeReadings(many, [reading(MAX_READINGS)]);
    expect(merged).toHaveLength(MAX_READINGS);
    expect(merged[0]?.timestamp).toBe(1);
  });
});

describe("growing", () => {
  it("appends the next reading", () => {
    const growth = growSeries(series(10, 20, 30), reading(41));
    expect(growth.kind === "appended" && times(growth.readings)).toEqual([10, 20, 30, 41]);
  });

  it("knows a reading that is there or older", () => {
    expect(growSeries(series(10, 20), reading(20)).kind).toBe("known");
    expect(growSeries(series(10, 20), reading(15)).kind).toBe("known");
  });

  it("notices that readings are missing", () => {
    expect(growSeries(series(10, 20, 30), reading(60))).toEqual({ kind: "gap", from: 30 });
    expect(growSeries([], reading(60))).toEqual({ kind: "gap", from: 60 });
  });
});

describe("gaps", () => {
  it("are found where a device was silent", () => {
    expect(findGaps(series(0, 10, 20, 30, 100, 110, 120))).toEqual([4]);
  });

  it("are found on both sides of a lone reading", () => {
    expect(findGaps(series(0, 10, 20, 30, 500, 1000, 1010, 1020, 1030))).toEqual([4, 5]);
  });

  it("are none where a device begins to send more often or more seldom", () => {
    expect(findGaps(series(0, 60, 120, 180, 182, 184, 186, 188))).toEqual([]);
    expect(findGaps(series(0, 2, 4, 6, 66, 126, 186))).toEqual([]);
  });

  it("are none in what is too short to judge", () => {
    expect(findGaps(series())).toEqual([]);
    expect(findGaps(series(1, 1000))).toEqual([]);
  });
});

it.each([
  [-5, 0],
  [14, 0],
  [16, 1],
  [20, 1],
  [99, 2],
])("finds the reading nearest to %i", (time, index) => {
  expect(nearestIndex(series(10, 20, 30), time)).toBe(index);
});

it("finds none in an empty series", () => {
  expect(nearestIndex([], 5)).toBeNull();
});

it("joins anomalous readings in a row to one band", () => {
  const anomalous = new Set([2, 3, 6]);
  const readings = [1, 2, 3, 4, 5, 6].map((time) =>
    reading(time, { anomaly: anomalous.has(time) }),
  );
  expect(anomalyRuns(readings)).toEqual([
    [2, 3],
    [6, 6],
  ]);
});
