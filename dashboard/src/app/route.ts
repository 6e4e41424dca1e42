/**
 * The page's address: what is shown, which device or alert is chosen, over which range, by which filter.
 *
 * Lives in the fragment, so that links and the Back button work while the host serves one page.
 */
import { useSyncExternalStore } from "react";
import type { AlertFilter } from "../api/alerts.ts";
import { DEFAULT_RANGE, parseRange, type RangeId } from "../chart/ranges.ts";

/** What fills the page: the fleet with a device beside it, alerts with one of them, mutes, or the rejects. */
export type ViewName = "fleet" | "alerts" | "mutes" | "rejects";

export interface Route {
  readonly view: ViewName;
  readonly deviceId: string | null;
  readonly range: RangeId;
  readonly alertId: string | null;
  readonly filter: AlertFilter;
}

const DEVICE_PREFIX = "#/devices/";
const ALERT_PREFIX = "#/alerts/";
export const FLEET_HREF = "#/";
export const ALERTS_HREF = "#/alerts";
export const MUTES_HREF = "#/mutes";
export const REJECTS_HREF = "#/rejects";

export const OPEN_ALERTS: AlertFilter = {
  state: "open",
  acknowledged: "",
  severity: "",
  devices: "",
};

export function parseRoute(hash: string): Route {
  const [path = "", text = ""] = hash.split("?", 2);
  const query = new URLSearchParams(text);
  const chosen = (prefix: string) =>
    path.startsWith(prefix) ? decode(path.slice(prefix.length)) : null;
  return {
    view: viewOf(path),
    deviceId: chosen(DEVICE_PREFIX),
    range: parseRange(query.get("range")) ?? DEFAULT_RANGE,
    alertId: chosen(ALERT_PREFIX),
    filter: parseFilter(query),
  };
}

export function deviceHref(deviceId: string, range: RangeId): string {
  const query = range === DEFAULT_RANGE ? "" : `?range=${range}`;
  return `${DEVICE_PREFIX}${encodeURIComponent(deviceId)}${query}`;
}

/** The alerts of a filter, and one of them, or none. */
export function alertsHref(filter: AlertFilter, alertId: string | null): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) {
    if (value !== OPEN_ALERTS[name as keyof AlertFilter]) {
      query.set(name, value);
    }
  }
  const path = alertId === null ? ALERTS_HREF : `${ALERT_PREFIX}${encodeURIComponent(alertId)}`;
  return query.size === 0 ? path : `${path}?${query}`;
}

function viewOf(path: string): ViewName {
  if (path === ALERTS_HREF || path.startsWith(ALERT_PREFIX)) {
    return "alerts";
  }
  if (path === MUTES_HREF) {
    return "mutes";
  }
  return path === REJECTS_HREF ? "rejects" : "fleet";
}

function parseFilter(query: URLSearchParams): AlertFilter {
  const word = <T extends string>(name: string, words: readonly T[], otherwise: T) =>
    words.find((known) => known === query.get(name)) ?? otherwise;
  return {
    state: word("state", ["open", "closed", "all"], "open"),
    acknowledged: word("acknowledged", ["true", "false", ""], ""),
    severity: word("severity", ["warning", "critical", ""], ""),
    devices: query.get("devices") ?? "",
  };
}

function decode(text: string): string | null {
  try {
    const id = decodeURIComponent(text);
    return id === "" ? null : id;
  } catch {
    // A mangled link chooses nothing.
    return null;
  }
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => window.location.hash);
  return parseRoute(hash);
}

/** Goes to an address without a new step for the Back button. */
export function replaceRoute(href: string): void {
  window.location.replace(href);
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
}
