/**
 * Services that go away while readings come: nothing is lost, and the backlog is worked off; says how long that takes.
 *
 *     node outages.mjs [seconds of each outage] [functionTimeout in seconds] [part of an outage's name]
 */
import { azuriteArguments, poll, startHost } from "./harness.mjs";
import { Ledger, readingOf, sendEvents, workedOff } from "./load.mjs";

const [outageS = 30, timeoutS = 5] = process.argv.slice(2, 4).map(Number);
const only = process.argv[4] ?? "";
const N_DEVICES = 200;
const PER_SECOND = 5 * N_DEVICES;
const BEFORE_S = 5;
const HOUR_MS = 3_600_000;

const THROTTLED = { throttle: { share: 1, retryAfterMs: 1000, seed: 1 } };
const [REFUSES, SILENT] = ["refuses", "silent"].map((condition) => ({ condition }));
const OUTAGES = {
  "Cosmos DB refuses": { cosmos: REFUSES },
  "Cosmos DB is silent": { cosmos: SILENT },
  "Cosmos DB throttles everything": { cosmos: THROTTLED },
  "Blob Storage refuses": { blob: REFUSES },
  "Blob Storage is silent": { blob: SILENT },
  "SignalR refuses": { signalR: REFUSES },
  "SignalR is silent": { signalR: SILENT },
  "all refuse": { cosmos: REFUSES, blob: REFUSES, signalR: REFUSES },
  "all are silent": { cosmos: SILENT, blob: SILENT, signalR: SILENT },
};

let nBad = 0;
for (const [name, faults] of Object.entries(OUTAGES)) {
  if (name.includes(only)) {
    const row = await suffer(name, faults);
    console.log(JSON.stringify(row));
    nBad += row.lost + row.doubled + row.alien;
  }
}
process.exit(nBad === 0 ? 0 : 1);

/** Sends readings all the time, has an outage in the middle, and measures until all is worked off. */
async function suffer(name, faults) {
  const timeout = new Date(timeoutS * 1000).toISOString().slice(11, 19);
  const host = await startHost({
    partitions: 4,
    env: { BUCKETS_PER_PARTITION: "4", AzureFunctionsJobHost__functionTimeout: timeout },
    arguments: azuriteArguments(),
  });
  let n = 0;
  const sendFor = async (seconds) => {
    for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
      const next = Date.now() + 200;
      const readings = Array.from({ length: N_DEVICES }, () => readingOf(n++, N_DEVICES));
      const posts = [0, 50, 100, 150].map((from) => readings.slice(from, from + 50));
      await Promise.all(posts.map((post) => sendEvents(host, post)));
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - Date.now())));
    }
  };
  await sendFor(BEFORE_S);
  const handlers = new Set(await host.handlerPids());
  const nBefore = handlers.size;
  const watch = setInterval(async () => (await host.handlerPids()).forEach((pid) => handlers.add(pid)), 500);

  await host.setFaults(faults);
  const before = await workedOff(host);
  await sendFor(outageS);
  const during = await workedOff(host);
  await host.setFaults({});
  const over = Date.now();
  await poll(`the backlog after "${name}"`, async () => (await workedOff(host)).waiting === 0, HOUR_MS);
  const caughtUpAfterMs = Date.now() - over;

  clearInterval(watch);
  const ledger = new Ledger(n, N_DEVICES);
  await ledger.look(host);
  await host.stop();
  return {
    name,
    sent: n,
    doneInOutage: during.done - before.done,
    sentInOutage: outageS * PER_SECOND,
    waitingAtEnd: during.waiting,
    caughtUpAfterMs,
    handlersKilled: handlers.size - nBefore,
    ...ledger.sums(),
  };
}
