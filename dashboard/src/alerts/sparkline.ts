/** The line through an alert's readings, in the units of its picture. Pure. */

export interface Box {
  readonly width: number;
  readonly height: number;
  /** Room for the mark at the last reading. */
  readonly padding: number;
}

export interface Line {
  /** For `points` of a polyline. */
  readonly points: string;
  readonly last: readonly [number, number];
  /** Height of the expected temperature, if that is known. */
  readonly expectedY: number | null;
}

/** `null` without readings. */
export function lineOf(
  readings: readonly (readonly [number, number])[],
  expected: number | null,
  { width, height, padding }: Box,
): Line | null {
  const [first, last] = [readings[0], readings.at(-1)];
  if (first === undefined || last === undefined) {
    return null;
  }
  const levels = readings.map(([, celsius]) => celsius);
  if (expected !== null) {
    levels.push(expected);
  }
  const [low, high] = [Math.min(...levels), Math.max(...levels)];
  const x = (time: number) =>
    place((time - first[0]) / (last[0] - first[0]), padding, width - padding);
  const y = (celsius: number) => place((high - celsius) / (high - low), padding, height - padding);
  const points = readings.map(([time, celsius]) => `${x(time)},${y(celsius)}`).join(" ");
  return {
    points,
    last: [x(last[0]), y(last[1])],
    expectedY: expected === null ? null : y(expected),
  };
}

/** A share of the way from one end to the other, in tenths; the middle where all are alike. */
function place(share: number, from: number, to: number): number {
  const known = Number.isFinite(share) ? share : 0.5;
  return Math.round((from + known * (to - from)) * 10) / 10;
}
