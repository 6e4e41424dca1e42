/**
 * The shapes that the API answers with, as `docs/api.md` states them.
 *
 * Times are epoch milliseconds in UTC, temperatures degrees Celsius. Knows nothing of how they are
 * fetched or shown.
 */

export const DEVICE_STATUSES = ["anomaly", "silent", "learning", "normal"] as const;

/**
 * `anomaly` while the newest reading is one, else `silent` while nothing is heard of it that should be,
 * else `learning` until calibrated, else `normal`.
 */
export type DeviceStatus = (typeof DEVICE_STATUSES)[number];

/** One temperature of one device and what the detector made of it. */
export interface Reading {
  readonly timestamp: number;
  readonly temperature: number;
  /** Temperature that the model reconstructs; `null` until the first full window. */
  readonly expected: number | null;
  /** Reconstruction error, mean squared difference in normalized units. */
  readonly error: number | null;
  /** Dimensionless; above 1 is an anomaly. */
  readonly score: number | null;
  readonly anomaly: boolean;
}

/** A device with its newest reading. */
export interface DeviceRow extends Reading {
  readonly deviceId: string;
  readonly status: DeviceStatus;
  readonly lastAnomalyAt: number | null;
}

/** One page of the fleet; `next` is the cursor of the following one. */
export interface DevicePage {
  readonly devices: readonly DeviceRow[];
  readonly next: string | null;
}

/** Readings of one device, ascending by time. */
export interface ReadingSeries {
  readonly readings: readonly Reading[];
  /** The limit cut off older readings. */
  readonly truncated: boolean;
}

/** An event, or a part of one, that was no reading. */
export interface Reject {
  /** When the hub took the event in; `null` when it did not say. */
  readonly enqueuedAt: number | null;
  /** The device that the hub authenticated. */
  readonly deviceId: string | null;
  readonly reason: string;
  readonly detail: string;
  readonly hub: string;
  readonly partition: string;
  readonly sequence: number;
  readonly index: number;
  readonly count: number;
  /** The event's text; `null` when it stands with another reject of the event. */
  readonly text: string | null;
  readonly cut: boolean;
}

/** One page of rejects, newest first; `next` is the cursor of the following one. */
export interface RejectPage {
  readonly rejects: readonly Reject[];
  readonly next: string | null;
}

/** Counts of the whole fleet, and what scores it. */
export interface Summary {
  readonly devices: Readonly<Record<DeviceStatus | "total", number>>;
  readonly newestReadingAt: number | null;
  readonly openAlerts: number;
  /** Open ones that wait for somebody: neither acknowledged nor muted. */
  readonly unacknowledgedAlerts: number;
  readonly policy: string;
  readonly model: { readonly sha256: string; readonly windowLength: number };
}

/** Argument of the live message `update`. */
export interface LiveUpdate {
  readonly enqueuedAt: number | null;
  readonly devices: readonly DeviceRow[];
  /** Alerts were opened, became critical or were closed. */
  readonly alertsChanged: boolean;
}

export type Severity = "warning" | "critical";

/** Who took note of an alert, when, and with which words. */
export interface Acknowledged {
  readonly by: string;
  readonly at: number;
  readonly note: string;
}

/** An episode of a device, as it stands now. */
export interface Alert {
  readonly alertId: string;
  readonly state: "open" | "closed";
  readonly deviceId: string;
  readonly kind: string;
  readonly severity: Severity;
  readonly beganAt: number;
  readonly openedAt: number;
  /** `null` while it is open, and where nothing closed it but the end of its device. */
  readonly closedAt: number | null;
  readonly temperature: number;
  readonly expected: number | null;
  readonly peakScore: number;
  readonly acknowledged: Acknowledged | null;
  /** Opened while its device was muted: nobody is notified. */
  readonly muted: boolean;
  /** Times and temperatures that led to it. */
  readonly readings: readonly (readonly [number, number])[];
}

/** One page of alerts, newest first; `next` is the cursor of the following one. */
export interface AlertPage {
  readonly alerts: readonly Alert[];
  readonly next: string | null;
}

/** What became of one alert about which somebody decided. */
export interface AcknowledgeResult {
  readonly alertId: string;
  readonly result: "acknowledged" | "withdrawn" | "unchanged" | "closed" | "unknown";
}

/** A time in which nobody is notified of some devices. */
export interface Mute {
  readonly muteId: string;
  readonly state: "active" | "planned" | "past";
  /** A device's id, what ids begin with before a `*`, or `*` for all. */
  readonly devices: string;
  readonly from: number;
  readonly until: number;
  readonly reason: string;
  readonly by: string;
  readonly at: number;
  readonly ended: { readonly by: string; readonly at: number } | null;
}
