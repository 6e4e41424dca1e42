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
  type AcknowledgeResult,
  type Alert,
  type AlertPage,
  DEVICE_STATUSES,
  type DevicePage,
  type DeviceRow,
  type LiveUpdate,
  type Mute,
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
  openAlerts: field("openAlerts", number),
  unacknowledgedAlerts: field("unacknowledgedAlerts", number),
  policy: field("policy", string),
  model: field(
    "model",
    object((part) => ({
      sha256: part("sha256", string),
      windowLength: part("windowLength", number),
    })),
  ),
}));

const alert: Decoder<Alert> = object((field) => ({
  alertId: field("alertId", string),
  state: field("state", oneOf(["open", "closed"])),
  deviceId: field("deviceId", string),
  kind: field("kind", string),
  severity: field("severity", oneOf(["warning", "critical"])),
  beganAt: field("beganAt", number),
  openedAt: field("openedAt", number),
  closedAt: field("closedAt", nullable(number)),
  temperature: field("temperature", number),
  expected: field("expected", nullable(number)),
  peakScore: field("peakScore", number),
  acknowledged: field(
    "acknowledged",
    nullable(
      object((part) => ({
        by: part("by", string),
        at: part("at", number),
        note: part("note", string),
      })),
    ),
  ),
  muted: field("muted", boolean),
  readings: field("readings", list(point)),
}));

function point(value: unknown, place: string): readonly [number, number] {
  const [time = Number.NaN, celsius = Number.NaN] = list(number)(value, place);
  return [time, celsius];
}

/** Answer of `GET /api/alerts`. */
export const alertPage: Decoder<AlertPage> = object((field) => ({
  alerts: field("alerts", list(alert)),
  next: field("next", nullable(string)),
}));

/** Answer of `POST /api/alerts/acknowledge`. */
export const acknowledgeResults: Decoder<readonly AcknowledgeResult[]> = object((field) =>
  field(
    "results",
    list(
      object((part) => ({
        alertId: part("alertId", string),
        result: part(
          "result",
          oneOf(["acknowledged", "withdrawn", "unchanged", "closed", "unknown"]),
        ),
      })),
    ),
  ),
);

const mute: Decoder<Mute> = object((field) => ({
  muteId: field("muteId", string),
  state: field("state", oneOf(["active", "planned", "past"])),
  devices: field("devices", string),
  from: field("from", number),
  until: field("until", number),
  reason: field("reason", string),
  by: field("by", string),
  at: field("at", number),
  ended: field(
    "ended",
    nullable(object((part) => ({ by: part("by", string), at: part("at", number) }))),
  ),
}));

/** Answer of `GET /api/mutes`. */
export const muteList: Decoder<readonly Mute[]> = object((field) => field("mutes", list(mute)));

/** Answer of `POST /api/mutes` and `POST /api/mutes/end`. */
export const muteAnswer: Decoder<Mute> = object((field) => field("mute", mute));

const anyList = nullable(list((value) => value));

/** Argument of the live message `update`. */
export const liveUpdate: Decoder<LiveUpdate> = object((field) => ({
  enqueuedAt: field("enqueuedAt", nullable(number)),
  devices: field("devices", list(deviceRow)),
  alertsChanged: field(
    "alerts",
    object((step) =>
      ["opened", "escalated", "closed"].some((name) => (step(name, anyList)?.length ?? 0) > 0),
    ),
  ),
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
