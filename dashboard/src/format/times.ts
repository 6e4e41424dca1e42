/** Times as text: how long ago, and when exactly in the viewer's time zone. Pure: `now` comes in. */

const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;
const DAY_S = 24 * HOUR_S;
const YEAR_S = 365 * DAY_S;

/** Time since `timestamp`, such as `4 s ago`; a clock that runs ahead counts as now. */
export function formatAge(timestamp: number, now: number): string {
  const seconds = Math.floor((now - timestamp) / 1000);
  if (seconds < 1) {
    return "now";
  }
  const [size, unit] = unitOf(seconds);
  return `${Math.floor(seconds / size)} ${unit} ago`;
}

function unitOf(seconds: number): readonly [number, string] {
  if (seconds < MINUTE_S) {
    return [1, "s"];
  }
  if (seconds < HOUR_S) {
    return [MINUTE_S, "min"];
  }
  if (seconds < 2 * DAY_S) {
    return [HOUR_S, "h"];
  }
  return seconds < 2 * YEAR_S ? [DAY_S, "d"] : [YEAR_S, "y"];
}

/** Day before month in words and hours up to 24: no reader can mistake the order. */
const LOCALE = "en-GB";

const instantFormat = new Intl.DateTimeFormat(LOCALE, {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  timeZoneName: "short",
});

/** The instant with its time zone, such as `2 Jan 2026, 04:04:05 GMT+1`. */
export function formatInstant(timestamp: number): string {
  return isDate(timestamp) ? instantFormat.format(timestamp) : String(timestamp);
}

const clockFormat = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit" });
const secondsFormat = new Intl.DateTimeFormat(LOCALE, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const dayFormat = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short" });
const yearFormat = new Intl.DateTimeFormat(LOCALE, { month: "short", year: "numeric" });

/** Hour and minute, with seconds where `precise`. */
export function formatClock(timestamp: number, precise: boolean): string {
  return (precise ? secondsFormat : clockFormat).format(timestamp);
}

/** Day and month. */
export function formatDay(timestamp: number): string {
  return dayFormat.format(timestamp);
}

/** Month and year. */
export function formatMonth(timestamp: number): string {
  return yearFormat.format(timestamp);
}

/** Beyond these a `Date` cannot be written out; devices may send anything. */
function isDate(timestamp: number): boolean {
  return Math.abs(timestamp) <= 8.64e15;
}
