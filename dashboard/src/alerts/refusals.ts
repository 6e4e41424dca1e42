/** Says of several alerts which could not be acknowledged, and why. */
import type { AcknowledgeResult, Alert } from "../api/types.ts";
import { formatCount } from "../format/numbers.ts";

/** Refusals that are named; the rest is counted. */
const NAMED = 5;

const REASONS = { closed: "is closed already", unknown: "is not stored any more" } as const;

/** A sentence, or `null` where nothing was refused. */
export function describeRefusals(
  results: readonly AcknowledgeResult[],
  alerts: readonly Alert[],
): string | null {
  const refused = results.flatMap(({ alertId, result }) =>
    result === "closed" || result === "unknown" ? [{ alertId, reason: REASONS[result] }] : [],
  );
  if (refused.length === 0) {
    return null;
  }
  const named = refused.slice(0, NAMED).map(({ alertId, reason }) => {
    const alert = alerts.find((known) => known.alertId === alertId);
    return `${alert === undefined ? alertId : `${alert.kind} of ${alert.deviceId}`} ${reason}`;
  });
  const rest = refused.length - named.length;
  const all = rest === 0 ? named : [...named, `and ${formatCount(rest)} more`];
  const counts = `${formatCount(refused.length)} of ${formatCount(results.length)}`;
  return `${counts} could not be acknowledged: ${all.join("; ")}`;
}
