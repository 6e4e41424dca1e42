/**
 * What telling people costs, as the emulated account counts: request units of a call of `send_alerts` when nothing
 * happened, and when a thousand alerts were opened, on a short history and on a long one.
 *
 *     node notification_costs.mjs [stored steps of a long history]
 */
import { setTimeout as pause } from "node:timers/promises";
import { temporaryFolder } from "./harness.mjs";
import { startAccount, startSender, storeStep } from "./senders.mjs";

const [nHistory = 10_000] = process.argv.slice(2).map(Number);
const N_BUSY = 1000;
const QUIET_MS = 32_000;
const DAY_MS = 24 * 3_600_000;

const host = await startAccount();
const sender = await startSender(host, { OUTBOX: process.env.OUTBOX || (await temporaryFolder()) });
await told("an empty account");
await measure("nothing happened");
await many(N_BUSY, Date.now() - 60_000);
await pause(QUIET_MS);
await measure(`${N_BUSY} alerts were opened`);
await measure("nothing happened after that");
await many(nHistory, Date.now() - 3 * DAY_MS);
await told(`${nHistory} older steps`);
await measure("nothing happened, on a long history");
await many(N_BUSY, Date.now() - 60_000);
await pause(QUIET_MS);
await measure(`${N_BUSY} alerts were opened, on a long history`);
await measure("nothing happened after that");
await Promise.all([sender.kill(), host.kill()]);
process.exit(0);

/** Calls until a process knows what there is. */
async function told(what) {
  await sender.fire();
  await sender.fire();
  console.log(`-- ${what}`);
}

async function many(n, at) {
  for (let first = 0; first < n; first += 100) {
    await Promise.all(Array.from({ length: 100 }, () => storeStep(host, { at, openedAt: at, beganAt: at })));
  }
}

async function measure(what) {
  const before = await consumed();
  const status = await sender.fire();
  const after = await consumed();
  const parts = Object.keys(after).map((kind) => {
    const units = after[kind].requestUnits - (before[kind]?.requestUnits ?? 0);
    const requests = after[kind].requests - (before[kind]?.requests ?? 0);
    return requests > 0 && `${kind} ${requests} for ${units.toFixed(1)}`;
  });
  const sum = Object.keys(after).reduce((total, kind) => total + after[kind].requestUnits - (before[kind]?.requestUnits ?? 0), 0);
  console.log(`${what}: ${sum.toFixed(1)} request units (${parts.filter(Boolean).join(", ")}), status ${status}`);
}

async function consumed() {
  return (await host.json("/local-host/figures")).cosmos;
}
