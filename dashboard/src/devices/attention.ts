/** How much a device wants to be looked at. Pure. */
import type { DeviceRow } from "../api/types.ts";

/** `anomaly`: its newest reading is one; `recent`: it had one in the last ten minutes; `silent`: it sends nothing. */
export type Attention = "anomaly" | "silent" | "recent" | "calm";

const RECENT_MS = 10 * 60 * 1000;

/**
 * Judges a device against the newest reading of the whole fleet.
 *
 * The fleet's time counts, not the viewer's, so that a replay of old readings shows the same.
 */
export function attentionOf(row: DeviceRow, fleetNewestAt: number | null): Attention {
  if (row.status === "anomaly" || row.status === "silent") {
    return row.status;
  }
  if (row.lastAnomalyAt === null || fleetNewestAt === null) {
    return "calm";
  }
  return fleetNewestAt - row.lastAnomalyAt <= RECENT_MS ? "recent" : "calm";
}
