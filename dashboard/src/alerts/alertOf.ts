/** An alert for tests: what they do not name is some value. */
import type { Alert } from "../api/types.ts";

export function alertOf(part: Partial<Alert>): Alert {
  return {
    alertId: "b.1.0.spike",
    state: "open",
    deviceId: "freezer-7",
    kind: "spike",
    severity: "warning",
    beganAt: 1000,
    openedAt: 1000,
    closedAt: null,
    temperature: 4,
    expected: 2,
    peakScore: 1.5,
    acknowledged: null,
    muted: false,
    readings: [],
    ...part,
  };
}
