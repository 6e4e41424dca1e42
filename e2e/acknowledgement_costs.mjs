/**
 * What people's acts and the page's counts cost, as the emulated account counts: request units of acknowledging one and
 * a hundred alerts, of a repeat, and of `/api/summary` while so many are open.
 *
 *     node acknowledgement_costs.mjs [open alerts]
 */
import { setTimeout as pause } from "node:timers/promises";
import { poll, startHost } from "./harness.mjs";
import { sendEvents } from "./load.mjs";

const [nAlerts = 200] = process.argv.slice(2).map(Number);
const PER_POST = 50;
const MINUTE_MS = 60_000;
/** The fleet and what people decided are read again when they are older than this. */
const STALE_MS = 16_000;

const env = { LIMITS: "freezer-*=..-15", BUCKETS_PER_PARTITION: "16", WEBHOOK_URL: "" };
const host = await startHost({ partitions: 4, env });
const devices = Array.from({ length: nAlerts }, (_, n) => `freezer-${n + 1}`);
const start = Date.now() - 60 * MINUTE_MS;
await all(start, -18);
await all(start + MINUTE_MS, -8);
const alertIds = await poll("the alerts", async () => {
  const { alerts } = await host.json("/api/alerts?kind=limit&limit=1000");
  return alerts.length === Math.min(nAlerts, 1000) && alerts.map(({ alertId }) => alertId);
});
await measure("/api/summary, first of all", () => host.json("/api/summary"));
await pause(3000);
await measure("/api/summary, three seconds later", () => host.json("/api/summary"));
await pause(STALE_MS);
await measure("/api/summary, when all is stale", () => host.json("/api/summary"));
await pause(3000);
const [one, ...others] = alertIds;
await measure("acknowledging one alert", () => acknowledge([one]));
await pause(3000);
await measure("the same again", () => acknowledge([one]));
await pause(3000);
await measure("acknowledging 100 alerts", () => acknowledge(others.slice(0, 100)));
await pause(3000);
await measure("the same again", () => acknowledge(others.slice(0, 100)));
await host.kill();
process.exit(0);

async function all(timestamp, temperature) {
  for (let n = 0; n < devices.length; n += PER_POST) {
    const some = devices.slice(n, n + PER_POST);
    await sendEvents(host, some.map((deviceId) => ({ deviceId, timestamp, temperature })));
  }
}

async function acknowledge(ids) {
  const body = JSON.stringify({ alertIds: ids, by: "anna" });
  const response = await host.post("/api/alerts/acknowledge", body, { "content-type": "application/json" });
  if (response.status !== 200) {
    throw new Error(`${response.status} ${await response.text()}`);
  }
}

async function measure(what, call) {
  const before = await consumed();
  const began = Date.now();
  await call();
  const took = Date.now() - began;
  const after = await consumed();
  const kinds = Object.keys(after).map((kind) => ({
    kind,
    units: after[kind].requestUnits - (before[kind]?.requestUnits ?? 0),
    requests: after[kind].requests - (before[kind]?.requests ?? 0),
  }));
  const sum = kinds.reduce((total, { units }) => total + units, 0);
  const parts = kinds.filter(({ requests }) => requests > 0);
  const detail = parts.map(({ kind, units, requests }) => `${kind} ${requests} for ${units.toFixed(1)}`);
  console.log(`${what}: ${sum.toFixed(1)} request units (${detail.join(", ")}), ${took} ms`);
}

async function consumed() {
  return (await host.json("/local-host/figures")).cosmos;
}
