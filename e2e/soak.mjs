/**
 * Many events through the staged app while its handler is killed again and again and Cosmos DB throttles:
 * counts what is lost and what counts twice.
 *
 *     node soak.mjs [events] [mean milliseconds between kills]
 */
import { readFile } from "node:fs/promises";
import { azuriteArguments, poll, startHost } from "./harness.mjs";
import { Ledger, readingOf, sendEvents, workedOff } from "./load.mjs";

const [nEvents = 200_000, killEveryMs = 3000] = process.argv.slice(2).map(Number);
const N_DEVICES = 1000;
/** One POST goes to one partition. */
const PER_POST = 50;
/** Events after which all that is stored is looked at, and what is old is dropped: the emulator scans all it has. */
const PER_ROUND = 100_000;
/** Snapshots are that much younger than their partition's checkpoint at most, so recovery needs nothing older. */
const KEPT_MS = 40_000;
const DAY_MS = 86_400_000;

const blobs = azuriteArguments();
if (blobs.length === 0) {
  // Without snapshots every new process reads back all that is stored, and what is dropped here lacks then for good.
  console.error("Azurite is not installed: run `npm ci` in tools/local-host");
  process.exit(1);
}
const host = await startHost({ partitions: 4, env: { BUCKETS_PER_PARTITION: "2" }, arguments: blobs });
await host.setFaults({ killEveryMs, cosmos: { throttle: { share: 0.01, retryAfterMs: 20, seed: 1 } } });
const ledger = new Ledger(nEvents, N_DEVICES);
const began = Date.now();
let peakKb = 0;
const handlers = new Set();
/** How far each partition's checkpoint is, and since when at most: one whose retries are a minute apart can rest long. */
const checkpoints = [];
let lookedAt = Date.now();
const watch = setInterval(async () => {
  for (const pid of await host.handlerPids()) {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    if (/Name:\s+handler/.test(status)) {
      handlers.add(pid);
      peakKb = Math.max(peakKb, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
    }
  }
}, 250);

let looking = Promise.resolve();
for (let first = 0; first < nEvents; first += N_DEVICES) {
  const readings = Array.from({ length: Math.min(N_DEVICES, nEvents - first) }, (_, n) =>
    readingOf(first + n, N_DEVICES),
  );
  const posts = Array.from({ length: Math.ceil(readings.length / PER_POST) }, (_, n) =>
    readings.slice(n * PER_POST, (n + 1) * PER_POST),
  );
  await Promise.all(posts.map((post) => sendEvents(host, post)));
  if ((first + N_DEVICES) % PER_ROUND === 0) {
    await poll("a round to be worked off", async () => (await workedOff(host)).waiting < PER_ROUND, DAY_MS);
    await looking;
    looking = look();
  }
}
await looking;
await poll("everything to be worked off", async () => (await workedOff(host)).waiting === 0, DAY_MS);
const tookMs = Date.now() - began;
await host.setFaults({});
clearInterval(watch);

await look();
const { lost, doubled, alien } = ledger.sums();
console.log(JSON.stringify({ nEvents, killEveryMs, lost, doubled, alien, tookMs, handlers: handlers.size, peakKb }));
await host.stop();
process.exit(lost + doubled + alien === 0 ? 0 : 1);

async function look() {
  await ledger.look(host);
  await host.addFault({ expire: { olderThanMs: KEPT_MS + (await longestRest()) } });
  const seconds = Math.round((Date.now() - began) / 1000);
  console.error(
    JSON.stringify({ seconds, ...(await workedOff(host)), ...ledger.sums(), handlers: handlers.size, peakKb }),
  );
}

/** Milliseconds since the checkpoint moved that has rested longest, or more. */
async function longestRest() {
  const { partitions } = await host.json("/local-host/figures");
  const now = Date.now();
  partitions.forEach(({ checkpoint }, n) => {
    if (checkpoints[n]?.checkpoint !== checkpoint) {
      checkpoints[n] = { checkpoint, since: lookedAt };
    }
  });
  lookedAt = now;
  return now - Math.min(...checkpoints.map(({ since }) => since));
}
