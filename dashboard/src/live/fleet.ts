/**
 * The fleet as the page knows it, and how answers and live messages change it.
 *
 * Pure: rows in, a new fleet out. Trusts no order of arrival; a row gives way to a newer one only,
 * except that a poll may correct a row of the same time.
 */
import type { DeviceRow } from "../api/types.ts";

/** Bounds the memory of the page; devices beyond it are left out. */
const MAX_DEVICES = 100_000;

export interface Fleet {
  readonly rows: ReadonlyMap<string, DeviceRow>;
  /** Newest reading of any device, or `null` for an empty fleet. */
  readonly newestReadingAt: number | null;
}

export const EMPTY_FLEET: Fleet = { rows: new Map(), newestReadingAt: null };

/** Merges the rows of a live message. */
export function mergeUpdate(fleet: Fleet, incoming: readonly DeviceRow[]): Fleet {
  const fresh = incoming.filter((row) => isNewer(row, fleet.rows.get(row.deviceId)));
  return fresh.length === 0 ? fleet : withRows(fleet.rows, fresh);
}

/**
 * Merges a whole listing of the fleet, which was asked for when the fleet was `before`.
 *
 * A device that the listing lacks is forgotten, unless a live message has touched it meanwhile.
 */
export function mergeListing(fleet: Fleet, listing: readonly DeviceRow[], before: Fleet): Fleet {
  const listed = new Set(listing.map((row) => row.deviceId));
  const kept = new Map<string, DeviceRow>();
  for (const [id, row] of fleet.rows) {
    if (listed.has(id) || before.rows.get(id) !== row) {
      kept.set(id, row);
    }
  }
  const accepted = listing.filter((row) => {
    const known = kept.get(row.deviceId);
    return known === undefined || (row.timestamp >= known.timestamp && !sameRow(row, known));
  });
  const unchanged = accepted.length === 0 && kept.size === fleet.rows.size;
  return unchanged ? fleet : withRows(kept, accepted);
}

/** Whether any of `rows` is newer than what the fleet knows of its device. */
export function bringsNews(fleet: Fleet, rows: readonly DeviceRow[]): boolean {
  return rows.some((row) => isNewer(row, fleet.rows.get(row.deviceId)));
}

/** Whether the counts by status may differ between two states of the fleet. */
export function statusesDiffer(
  before: Fleet,
  after: Fleet,
  touched: readonly DeviceRow[],
): boolean {
  return touched.some(
    ({ deviceId }) => before.rows.get(deviceId)?.status !== after.rows.get(deviceId)?.status,
  );
}

function isNewer(row: DeviceRow, known: DeviceRow | undefined): boolean {
  return known === undefined || row.timestamp > known.timestamp;
}

function sameRow(a: DeviceRow, b: DeviceRow): boolean {
  return (
    a.timestamp === b.timestamp &&
    a.status === b.status &&
    a.temperature === b.temperature &&
    a.expected === b.expected &&
    a.error === b.error &&
    a.score === b.score &&
    a.anomaly === b.anomaly &&
    a.lastAnomalyAt === b.lastAnomalyAt
  );
}

function withRows(base: ReadonlyMap<string, DeviceRow>, changed: readonly DeviceRow[]): Fleet {
  const rows = new Map(base);
  for (const row of changed) {
    const known = rows.get(row.deviceId);
    if (known === undefined ? rows.size < MAX_DEVICES : row.timestamp >= known.timestamp) {
      rows.set(row.deviceId, row);
    }
  }
  let newest: number | null = null;
  for (const { timestamp } of rows.values()) {
    newest = newest === null || timestamp > newest ? timestamp : newest;
  }
  return { rows, newestReadingAt: newest };
}
