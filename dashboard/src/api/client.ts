/**
 * The HTTP calls of the page: each takes its parameters and an abort signal, and gives decoded
 * values or throws `ApiFailure`.
 *
 * Every call has a deadline and a bounded answer. Knows no screen and keeps nothing between calls.
 */
import { devicePage, errorMessage, readingSeries, rejectPage, summary } from "./answers.ts";
import { DecodeError, type Decoder } from "./decode.ts";
import { ApiFailure, failureOfStatus } from "./failure.ts";
import type { DeviceRow, ReadingSeries, RejectPage, Summary } from "./types.ts";

/** Name of the header that carries the API key. */
export const API_KEY_HEADER = "x-api-key";

const DEADLINE_MS = 20_000;
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

export interface ApiClient {
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

interface Answer {
  readonly path: string;
  readonly body: unknown;
}

function decode<T>(answer: Answer, decoder: Decoder<T>): T {
  try {
    return decoder(answer.body, "");
  } catch (thrown) {
    if (thrown instanceof DecodeError) {
      throw new ApiFailure("malformed", `${pathOnly(answer.path)}: ${thrown.message}`);
    }
    throw thrown;
  }
}

async function getJson(path: string, apiKey: string | null, signal: AbortSignal): Promise<Answer> {
  const response = await get(path, apiKey, signal);
  try {
    return { path, body: await response.json() };
  } catch {
    signal.throwIfAborted();
    throw new ApiFailure("malformed", `${pathOnly(path)} answered something that is not JSON`);
  }
}

async function get(path: string, apiKey: string | null, signal: AbortSignal): Promise<Response> {
  const response = await send(path, apiKey, signal);
  if (response.ok) {
    return response;
  }
  const body: unknown = await response.json().catch(() => null);
  throw failureOfStatus(pathOnly(path), response.status, errorMessage(body));
}

async function send(path: string, apiKey: string | null, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(path, {
      headers: apiKey === null ? {} : { [API_KEY_HEADER]: apiKey },
      signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]),
      cache: "no-store",
    });
  } catch (thrown) {
    // The caller's own abort is no failure and must not be shown as one.
    signal.throwIfAborted();
    const why =
      thrown instanceof DOMException && thrown.name === "TimeoutError"
        ? `gave no answer within ${DEADLINE_MS / 1000} s`
        : "could not be reached";
    throw new ApiFailure("unreachable", `${pathOnly(path)} ${why}`);
  }
}

function pathOnly(path: string): string {
  return path.split("?", 1)[0] ?? path;
}
