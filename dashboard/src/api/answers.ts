/**
 * One decoder for each document that the API sends; what leaves has the type in `types.ts`.
 *
 * Refuses answers of another shape, because a table of half-read rows would not tell the truth.
 */
import {
  boolean,
  type Decoder,
  type FieldReader,
  list,
  nullable,
  number,
  object,
  oneOf,
  string,
} from "./decode.ts";
import {
  DEVICE_STATUSES,
  type DevicePage,
  type DeviceRow,
  type LiveUpdate,
  type Reading,
  type ReadingSeries,
  type RejectPage,
  type Summary,
} from "./types.ts";

function readingFields(field: FieldReader): Reading {
  return {
    timestamp: field("timestamp", number),
    temperature: field("temperature", number),
    expected: field("expected", nullable(number)),
    error: field("error", nullable(number)),
    score: field("score", nullable(number)),
    anomaly: field("anomaly", boolean),
  };
}

const deviceRow: Decoder<DeviceRow> = object((field) => ({
  ...readingFields(field),
  deviceId: field("deviceId", string),
  status: field("status", oneOf(DEVICE_STATUSES)),
  lastAnomalyAt: field("lastAnomalyAt", nullable(number)),
}));

/** Answer of `GET /api/devices`. */
export const devicePage: Decoder<DevicePage> = object((field) => ({
  devices: field("devices", list(deviceRow)),
  next: field("next", nullable(string)),
}));

/** Answer of `GET /api/devices/{deviceId}/readings`. */
export const readingSeries: Decoder<ReadingSeries> = object((field) => ({
  readings: field("readings", list(object(readingFields))),
  truncated: field("truncated", boolean),
}));

/** Answer of `GET /api/rejects`. */
export const rejectPage: Decoder<RejectPage> = object((field) => ({
  rejects: field(
    "rejects",
    list(
      object((part) => ({
        enqueuedAt: part("enqueuedAt", nullable(number)),
        deviceId: part("deviceId", nullable(string)),
        reason: part("reason", string),
        detail: part("detail", string),
        hub: part("hub", string),
        partition: part("partition", string),
        sequence: part("sequence", number),
        index: part("index", number),
        count: part("count", number),
        text: part("text", nullable(string)),
        cut: part("cut", boolean),
      })),
    ),
  ),
  next: field("next", nullable(string)),
}));

/** Answer of `GET /api/summary`. */
export const summary: Decoder<Summary> = object((field) => ({
  devices: field(
    "devices",
    object((count) => ({
      total: count("total", number),
      normal: count("normal", number),
      anomaly: count("anomaly", number),
      learning: count("learning", number),
      silent: count("silent", number),
    })),
  ),
  newestReadingAt: field("newestReadingAt", nullable(number)),
  policy: field("policy", string),
  model: field(
    "model",
    object((part) => ({
      sha256: part("sha256", string),
      windowLength: part("windowLength", number),
    })),
  ),
}));

/** Argument of the live message `update`. */
export const liveUpdate: Decoder<LiveUpdate> = object((field) => ({
  enqueuedAt: field("enqueuedAt", nullable(number)),
  devices: field("devices", list(deviceRow)),
}));

/** Message of a documented error body, or `null` for a body of another shape. */
export function errorMessage(body: unknown): string | null {
  try {
    return object((field) =>
      field(
        "error",
        object((inner) => inner("message", string)),
      ),
    )(body, "");
  } catch {
    return null;
  }
}
