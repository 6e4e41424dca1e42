/** The stretches of time that a chart can show. Pure. */
import type { ReadingSpan } from "../api/client.ts";

const HOUR_MS = 3_600_000;

export const RANGES = [
  { id: "1h", label: "1 h", name: "one hour", length: HOUR_MS },
  { id: "6h", label: "6 h", name: "six hours", length: 6 * HOUR_MS },
  { id: "24h", label: "24 h", name: "24 hours", length: 24 * HOUR_MS },
  { id: "7d", label: "7 d", name: "seven days", length: 7 * 24 * HOUR_MS },
  { id: "all", label: "All", name: "all readings", length: Number.POSITIVE_INFINITY },
] as const;

export type RangeId = (typeof RANGES)[number]["id"];

export const DEFAULT_RANGE: RangeId = "6h";

/** The range of that name, or `null`. */
export function parseRange(text: string | null): RangeId | null {
  return RANGES.find((range) => range.id === text)?.id ?? null;
}

/** Length in milliseconds; infinite for all readings. */
export function rangeLength(range: RangeId): number {
  return RANGES.find((candidate) => candidate.id === range)?.length ?? HOUR_MS;
}

/** What to fetch so that the range ends at the newest reading. */
export function spanOf(range: RangeId, newestAt: number): ReadingSpan {
  const length = rangeLength(range);
  return { from: Number.isFinite(length) ? Math.floor(newestAt - length) : 0 };
}

/** A stretch on the time axis, in epoch milliseconds. */
export interface View {
  readonly min: number;
  readonly max: number;
}

/** Shortest stretch that can be zoomed to. */
const MIN_VIEW_MS = 5_000;

/** Share of the range left free after the newest reading, so that its mark is not cut. */
const AIR = 0.015;

/** What the range shows while nothing is zoomed. */
export function wholeView(range: RangeId, oldestAt: number, newestAt: number): View {
  const length = rangeLength(range);
  const min = Number.isFinite(length) ? newestAt - length : oldestAt;
  return widen({ min, max: newestAt + (newestAt - min) * AIR });
}

/** Zooms by `factor` (below 1: closer) around the middle, within `whole`; `null` when that is all. */
export function zoom(view: View, factor: number, whole: View): View | null {
  const middle = (view.min + view.max) / 2;
  const half = ((view.max - view.min) / 2) * factor;
  return withinWhole(widen({ min: middle - half, max: middle + half }), whole);
}

/** A brushed stretch, or `null` when it is all there is. */
export function brush(min: number, max: number, whole: View): View | null {
  return withinWhole(widen({ min, max }), whole);
}

function withinWhole(view: View, whole: View): View | null {
  const length = Math.min(view.max - view.min, whole.max - whole.min);
  const min = Math.min(Math.max(view.min, whole.min), whole.max - length);
  const all = length >= whole.max - whole.min;
  return all ? null : { min, max: min + length };
}

function widen(view: View): View {
  const missing = MIN_VIEW_MS - (view.max - view.min);
  return missing <= 0 ? view : { min: view.min - missing / 2, max: view.max + missing / 2 };
}
