/**
 * Many events through the staged app while its handler is killed again and again and Cosmos DB throttles:
 * counts what is lost and what counts twice.
 *
 *     node soak.mjs [events] [ms between kills]
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { documentsOf, identityOf, storedReadings } from "./documents.mjs";
import { poll, ROOT, startHost } from "./harness.mjs";

const [events = 200_000, killEveryMs = 3000] = process.argv.slice(2).map(Number);
const DEVICES = 1000;
const PER_POST = 400;
const START = Date.UTC(2026, 0, 2);
const HOUR = 3_600_000;

// Without snapshots every new process reads back all that is stored, which soon takes longer than it lives.
const azurite = join(ROOT, "tools/local-host/node_modules/.bin/azurite-blob");
const host = await startHost({
  partitions: 4,
  env: { BUCKETS_PER_PARTITION: "4" },
  arguments: existsSync(azurite) ? ["--azurite", azurite] : [],
});
await put({ killEveryMs, cosmos: { throttle: { share: 0.01, retryAfterMs: 20, seed: 1 } } });
const began = Date.now();
let peakKb = 0;
const watch = setInterval(async () => {
  for (const pid of await host.handlerPids()) {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    peakKb = Math.max(peakKb, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
  }
}, 250);

for (let first = 0; first < events; first += PER_POST) {
  const batch = Array.from({ length: Math.min(PER_POST, events - first) }, (_, n) => event(first + n));
  const response = await host.post("/telemetry/messages", JSON.stringify(batch), {
    "content-type": "application/vnd.microsoft.servicebus.json",
  });
  if (!response.ok) {
    throw new Error(`events ${first} and after: ${response.status} ${await response.text()}`);
  }
}
const sentAfter = Date.now() - began;
await poll("everything to be worked off", async () => (await nStored()) >= events, 4 * HOUR);
await put({});
clearInterval(watch);
const took = Date.now() - began;

const counts = new Map();
for (const reading of await storedReadings(host)) {
  const identity = identityOf(reading);
  counts.set(identity, (counts.get(identity) ?? 0) + 1);
}
let lost = 0;
let doubled = 0;
for (let n = 0; n < events; n += 1) {
  const count = counts.get(identityOf(reading(n))) ?? 0;
  lost += count === 0 ? 1 : 0;
  doubled += count > 1 ? 1 : 0;
}
console.log(
  JSON.stringify({ events, killEveryMs, lost, doubled, sentAfterMs: sentAfter, tookMs: took, peakKb }),
);
await host.stop();
process.exit(lost + doubled === 0 ? 0 : 1);

function reading(n) {
  const round = Math.floor(n / DEVICES);
  return {
    deviceId: `device-${n % DEVICES}`,
    timestamp: START + round * 60_000,
    temperature: 20 + (round % 10) / 10,
  };
}

function event(n) {
  const { deviceId } = reading(n);
  return { Body: JSON.stringify(reading(n)), BrokerProperties: { PartitionKey: deviceId } };
}

async function put(faults) {
  const answer = await fetch(`${host.url}/local-host/faults`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(faults),
  });
  if (!answer.ok) {
    throw new Error(`faults: ${answer.status} ${await answer.text()}`);
  }
}

/** How many readings are stored, each counted once. */
async function nStored() {
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const positions = new Set();
  for (const { bucket, firstSequence, readings } of await documentsOf(host, "results")) {
    for (const [sequence, index] of Object.values(readings).flat()) {
      positions.add(`${bucket} ${firstSequence + sequence} ${index}`);
    }
  }
  return positions.size;
}
