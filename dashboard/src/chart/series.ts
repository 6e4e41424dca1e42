/**
 * The readings behind a chart: merging, gaps and bounds.
 *
 * Pure. A series is ascending by time with one reading a time, whatever order readings came in.
 */
import type { Reading } from "../api/types.ts";

/** Bounds the memory of a chart that is left open; the oldest readings go first. */
export const MAX_READINGS = 60_000;

/** Intervals longer than this many typical ones are gaps. */
const GAP_INTERVALS = 2.5;
/** How many of the newest intervals tell what is typical. */
const TYPICAL_SAMPLE = 15;

/** Joins two ascending series; where both have a time, `newer` counts. */
export function mergeReadings(
  older: readonly Reading[],
  newer: readonly Reading[],
): readonly Reading[] {
  const first = newer[0];
  if (first === undefined) {
    return older;
  }
  // Nearly always the new part continues the old one, and only the seam has to be looked at.
  const seam = older.findLastIndex((reading) => reading.timestamp < first.timestamp) + 1;
  const byTime = new Map<number, Reading>();
  for (const reading of [...older.slice(seam), ...newer]) {
    byTime.set(reading.timestamp, reading);
  }
  const tail = [...byTime.values()].sort((a, b) => a.timestamp - b.timestamp);
  return [...older.slice(0, seam), ...tail].slice(-MAX_READINGS);
}

/** The median of the newest intervals in milliseconds, or `null` while there are none. */
export function typicalInterval(readings: readonly Reading[]): number | null {
  const newest = readings.slice(-TYPICAL_SAMPLE - 1);
  const intervals: number[] = [];
  let previous: Reading | null = null;
  for (const reading of newest) {
    if (previous !== null) {
      intervals.push(reading.timestamp - previous.timestamp);
    }
    previous = reading;
  }
  intervals.sort((a, b) => a - b);
  return intervals[Math.floor(intervals.length / 2)] ?? null;
}

/**
 * Indices of readings with a gap before them.
 *
 * Measured against the intervals nearby, since a device may change how often it sends.
 */
export function findGaps(readings: readonly Reading[]): readonly number[] {
  const intervals = readings.map(
    ({ timestamp }, index) => timestamp - (readings[index - 1]?.timestamp ?? timestamp),
  );
  const gaps: number[] = [];
  for (let index = 1; index < readings.length; index += 1) {
    // The first reading has no interval: index 0 is left out.
    const before = medianOf(intervals, Math.max(1, index - 3), index);
    const after = medianOf(intervals, index + 1, index + 4);
    const nearby = Math.max(before ?? 0, after ?? 0);
    if (nearby > 0 && (intervals[index] ?? 0) > nearby * GAP_INTERVALS) {
      gaps.push(index);
    }
  }
  return gaps;
}

/** The median of a short stretch, or `null` for an empty one. */
function medianOf(values: readonly number[], from: number, to: number): number | null {
  const stretch = values.slice(from, to).sort((a, b) => a - b);
  return stretch[stretch.length >> 1] ?? null;
}

/** What a live reading does to the series of its device. */
export type Growth =
  | { readonly kind: "known" }
  | { readonly kind: "appended"; readonly readings: readonly Reading[] }
  /** Readings are missing between `from` and the new one: they have to be fetched. */
  | { readonly kind: "gap"; readonly from: number };

/** Appends the newest reading of a device, unless others must lie between. */
export function growSeries(readings: readonly Reading[], live: Reading): Growth {
  const last = readings.at(-1);
  if (last === undefined) {
    return { kind: "gap", from: live.timestamp };
  }
  if (live.timestamp <= last.timestamp) {
    return { kind: "known" };
  }
  const typical = typicalInterval(readings);
  if (typical !== null && live.timestamp - last.timestamp > typical * GAP_INTERVALS) {
    return { kind: "gap", from: last.timestamp };
  }
  return { kind: "appended", readings: mergeReadings(readings, [live]) };
}

/** Index of the reading nearest to a time, or `null` in an empty series. */
export function nearestIndex(readings: readonly Reading[], timestamp: number): number | null {
  let low = 0;
  let high = readings.length - 1;
  if (high < 0) {
    return null;
  }
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((readings[middle]?.timestamp ?? 0) < timestamp) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const here = readings[low]?.timestamp ?? 0;
  const before = readings[low - 1]?.timestamp;
  return before !== undefined && timestamp - before < here - timestamp ? low - 1 : low;
}
