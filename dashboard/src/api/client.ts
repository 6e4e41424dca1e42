/**
 * The HTTP calls of the page: each takes its parameters and an abort signal, and gives decoded
 * values or throws `ApiFailure`.
 *
 * Every answer is bounded. Knows no screen and keeps nothing between calls.
 */
import { type AlertCalls, createAlertCalls } from "./alerts.ts";
import { devicePage, readingSeries, rejectPage, summary } from "./answers.ts";
import { type Answer, decode, get, getJson } from "./request.ts";
import type { DeviceRow, ReadingSeries, RejectPage, Summary } from "./types.ts";

const DEVICES_PER_PAGE = 10_000;
/** Bounds the memory of the page: a fleet beyond this is shown in part. */
const MAX_DEVICE_PAGES = 10;
/** Most readings that the API gives in one answer. */
const MAX_READINGS = 50_000;

const REJECTS_PER_PAGE = 100;

/** The stretch of readings to fetch; bounds in epoch milliseconds, both inclusive. */
export interface ReadingSpan {
  readonly from: number;
  readonly to?: number;
}

/** Which rejects to fetch; an empty text does not filter. */
export interface RejectFilter {
  readonly deviceId: string;
  readonly reason: string;
}

export interface ApiClient extends AlertCalls {
  /** Calls carry a key, which plain links cannot. */
  readonly needsKey: boolean;
  /** The whole fleet, following the cursor from page to page. */
  listDevices(signal: AbortSignal): Promise<readonly DeviceRow[]>;
  listReadings(deviceId: string, span: ReadingSpan, signal: AbortSignal): Promise<ReadingSeries>;
  /** One page of rejects, newest first, from the cursor `after` on. */
  listRejects(filter: RejectFilter, after: string | null, signal: AbortSignal): Promise<RejectPage>;
  getSummary(signal: AbortSignal): Promise<Summary>;
  /** The readings of a span as a CSV file. */
  downloadReadings(deviceId: string, span: ReadingSpan, signal: AbortSignal): Promise<Blob>;
}

export function createApiClient(apiKey: string | null): ApiClient {
  return {
    ...createAlertCalls(apiKey),
    needsKey: apiKey !== null,
    listDevices: (signal) => listDevices(apiKey, signal),
    listReadings: async (deviceId, span, signal) =>
      decode(await getJson(readingsPath(deviceId, span, "json"), apiKey, signal), readingSeries),
    listRejects: async (filter, after, signal) =>
      decode(await getJson(rejectsPath(filter, after), apiKey, signal), rejectPage),
    getSummary: async (signal) => decode(await getJson("/api/summary", apiKey, signal), summary),
    downloadReadings: async (deviceId, span, signal) => {
      const path = readingsPath(deviceId, span, "csv");
      return (await get(path, apiKey, signal)).blob();
    },
  };
}

/** Address of a device's readings. */
export function readingsPath(deviceId: string, span: ReadingSpan, format: "json" | "csv"): string {
  // An id such as `..` would not survive in a path.
  const query = new URLSearchParams({ deviceId, from: String(span.from) });
  if (span.to !== undefined) {
    query.set("to", String(span.to));
  }
  query.set("limit", String(MAX_READINGS));
  query.set("format", format);
  return `/api/readings?${query}`;
}

function rejectsPath({ deviceId, reason }: RejectFilter, after: string | null): string {
  const query = new URLSearchParams({ limit: String(REJECTS_PER_PAGE) });
  for (const [name, value] of Object.entries({ deviceId, reason, after: after ?? "" })) {
    if (value !== "") {
      query.set(name, value);
    }
  }
  return `/api/rejects?${query}`;
}

async function listDevices(
  apiKey: string | null,
  signal: AbortSignal,
): Promise<readonly DeviceRow[]> {
  const rows: DeviceRow[] = [];
  let after: string | null = null;
  for (let page = 0; page < MAX_DEVICE_PAGES; page += 1) {
    const query = new URLSearchParams({ limit: String(DEVICES_PER_PAGE) });
    if (after !== null) {
      query.set("after", after);
    }
    const answer: Answer = await getJson(`/api/devices?${query}`, apiKey, signal);
    const { devices, next } = decode(answer, devicePage);
    for (const row of devices) {
      rows.push(row);
    }
    // A cursor that stands still would ask for the same page for ever.
    if (next === null || next === after) {
      break;
    }
    after = next;
  }
  return rows;
}
