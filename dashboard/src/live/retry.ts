/** How long to wait before the next attempt to connect. Pure: the chance comes in. */

const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;
/** Share of the wait that chance takes away, so that a thousand pages do not return as one. */
const SPREAD = 0.5;

/** Milliseconds before attempt `attempt` + 1 (from 0), for a `chance` in 0..1; it never gives up. */
export function retryDelay(attempt: number, chance: number): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return Math.round(full * (1 - SPREAD * chance));
}
