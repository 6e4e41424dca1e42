/**
 * The page's address: what is shown, which device is chosen, over which range.
 *
 * Lives in the fragment, so that links and the Back button work while the host serves one page.
 */
import { useSyncExternalStore } from "react";
import { DEFAULT_RANGE, parseRange, type RangeId } from "../chart/ranges.ts";

/** What fills the page: the fleet with a device beside it, or the rejects. */
export type ViewName = "fleet" | "rejects";

export interface Route {
  readonly view: ViewName;
  readonly deviceId: string | null;
  readonly range: RangeId;
}

const DEVICE_PREFIX = "#/devices/";
export const FLEET_HREF = "#/";
export const REJECTS_HREF = "#/rejects";

export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.split("?", 2);
  const range = parseRange(new URLSearchParams(query).get("range")) ?? DEFAULT_RANGE;
  if (!path.startsWith(DEVICE_PREFIX)) {
    return { view: path === REJECTS_HREF ? "rejects" : "fleet", deviceId: null, range };
  }
  return { view: "fleet", deviceId: decode(path.slice(DEVICE_PREFIX.length)), range };
}

export function deviceHref(deviceId: string, range: RangeId): string {
  const query = range === DEFAULT_RANGE ? "" : `?range=${range}`;
  return `${DEVICE_PREFIX}${encodeURIComponent(deviceId)}${query}`;
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
