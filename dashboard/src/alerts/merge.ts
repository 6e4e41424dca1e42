/**
 * How a newer look at the first page changes the alerts that are shown.
 *
 * Pure. The API lists by opening, newest first, and equal ones by id.
 */
import type { Alert, AlertPage } from "../api/types.ts";

/**
 * The fresh page, and what lies behind it of what was known.
 *
 * What the page should hold and does not has left the filter, such as an alert that was closed.
 */
export function mergeNewest(known: readonly Alert[], page: AlertPage): readonly Alert[] {
  const last = page.alerts.at(-1);
  if (page.next === null) {
    return page.alerts;
  }
  return last === undefined
    ? known
    : [...page.alerts, ...known.filter((alert) => isBehind(alert, last))];
}

/** Whether more came than the fresh page holds: between it and what was known there are others that nobody has seen. */
export function leavesGap(known: readonly Alert[], page: AlertPage): boolean {
  const ids = new Set(known.map(({ alertId }) => alertId));
  const meets = page.alerts.length === 0 || page.alerts.some(({ alertId }) => ids.has(alertId));
  return known.length > 0 && page.next !== null && !meets;
}

/** The alerts, and an older page of which some may be there already. */
export function appendOlder(known: readonly Alert[], page: AlertPage): readonly Alert[] {
  const ids = new Set(known.map(({ alertId }) => alertId));
  return [...known, ...page.alerts.filter(({ alertId }) => !ids.has(alertId))];
}

function isBehind(alert: Alert, earlier: Alert): boolean {
  return alert.openedAt === earlier.openedAt
    ? alert.alertId > earlier.alertId
    : alert.openedAt < earlier.openedAt;
}
