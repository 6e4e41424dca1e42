/** Labels of the chart's axes. Pure. */
import { formatClock, formatDay, formatMonth } from "../format/times.ts";

const MINUTE_S = 60;
const DAY_S = 86_400;
const MONTH_S = 28 * DAY_S;

/**
 * Labels for time ticks (epoch seconds) that are `increment` seconds apart.
 *
 * The day stands below the first tick and wherever it changes.
 */
export function timeLabels(ticks: readonly number[], increment: number): string[] {
  let lastDay = "";
  return ticks.map((tick) => {
    const timestamp = tick * 1000;
    if (increment >= MONTH_S) {
      return formatMonth(timestamp);
    }
    const day = formatDay(timestamp);
    if (increment >= DAY_S) {
      return day;
    }
    const clock = formatClock(timestamp, increment < MINUTE_S);
    const label = day === lastDay ? clock : `${clock}\n${day}`;
    lastDay = day;
    return label;
  });
}

/** Ticks of the score's axis: the threshold, and a few steps up to the highest score. */
export function scoreTicks(highest: number): number[] {
  const tens = Math.floor(Math.log10(Math.max(1, highest)));
  if (tens >= 2) {
    const middle = 10 ** Math.ceil(tens / 2);
    return [0, 1, middle, 10 ** tens];
  }
  return [0, 1, 3, 10, 30].filter((tick) => tick <= highest);
}

/** Range of the temperature axis: all values, some air, and never so little that noise fills it. */
export function temperatureRange(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) {
    return [0, 40];
  }
  const air = Math.max((high - low) * 0.08, 0.5);
  return [low - air, high + air];
}
