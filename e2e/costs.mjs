/**
 * What scoring and reading cost, as the emulated account counts: request units, bytes and writes.
 *
 *     node costs.mjs [readings in bulk] [minutes of 1,000 devices at one reading a minute]
 */
import { setTimeout as pause } from "node:timers/promises";
import { poll, startHost } from "./harness.mjs";
import { readingOf, sendEvents, workedOff } from "./load.mjs";

const [nBulk = 1_440_000, minutes = 5] = process.argv.slice(2).map(Number);
const N_DEVICES = 1000;
/** One POST goes to one partition. */
const PER_POST = 50;
const LONG_MS = 3_600_000;
const NONE = { requests: 0, requestUnits: 0, bytesSent: 0, bytesReceived: 0 };
const NOTHING = { upsert: NONE, query: NONE };

await bulk();
await trickle();
process.exit(0);

/** As much as the batches hold: all waits while storage is away. Then what it costs to look at one device. */
async function bulk() {
  const host = await startHost({ partitions: 4, env: { BUCKETS_PER_PARTITION: "16" } });
  await host.setFaults({ cosmos: { condition: "refuses" } });
  for (let n = 0; n < nBulk; n += N_DEVICES) {
    await Promise.all(posts(n).map((readings) => sendEvents(host, readings)));
  }
  const refused = await consumed(host);
  await host.setFaults({});
  await poll("everything to be worked off", async () => (await workedOff(host)).waiting === 0, LONG_MS);
  console.log("full batches", JSON.stringify(perReading(await consumed(host), nBulk, refused)));
  const newest = readingOf(nBulk - 1, N_DEVICES).timestamp;
  for (const [name, hours] of [["last hour", 1], ["last day", 24]]) {
    const before = await consumed(host);
    const from = new Date(newest - hours * 3_600_000).toISOString();
    const page = await host.json(`/api/devices/device-7/readings?from=${from}&to=${new Date(newest).toISOString()}`);
    const after = await consumed(host);
    const units = after.query.requestUnits - before.query.requestUnits;
    const bytes = after.query.bytesReceived - before.query.bytesReceived;
    console.log(name, JSON.stringify({ readings: page.readings.length, units, bytes }));
  }
  await host.stop();
}

/** Every reading comes by itself, as from a fleet that is not in step. */
async function trickle() {
  const host = await startHost({ partitions: 4, env: { BUCKETS_PER_PARTITION: "16" } });
  const n = N_DEVICES * minutes;
  const began = Date.now();
  for (let sent = 0; sent < n; sent += 1) {
    await sendEvents(host, [readingOf(sent, N_DEVICES)]);
    await pause(Math.max(0, began + ((sent + 1) * 60_000) / N_DEVICES - Date.now()));
  }
  await poll("everything to be worked off", async () => (await workedOff(host)).waiting === 0, LONG_MS);
  console.log("1,000 devices at one a minute", JSON.stringify(perReading(await consumed(host), n)));
  await host.stop();
}

function posts(n) {
  return Array.from({ length: N_DEVICES / PER_POST }, (_, post) =>
    Array.from({ length: PER_POST }, (_, k) => readingOf(n + post * PER_POST + k, N_DEVICES)),
  );
}

async function consumed(host) {
  const { cosmos } = await host.json("/local-host/figures");
  return { ...NOTHING, ...cosmos };
}

function perReading({ upsert, query }, n, before = NOTHING) {
  const round = (number) => Number((number / n).toPrecision(3));
  return {
    readings: n,
    upserts: round(upsert.requests - before.upsert.requests),
    bytes: round(upsert.bytesSent - before.upsert.bytesSent),
    unitsOfUpserts: round(upsert.requestUnits - before.upsert.requestUnits),
    queries: round(query.requests - before.query.requests),
    unitsOfQueries: round(query.requestUnits - before.query.requestUnits),
  };
}
