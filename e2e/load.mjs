/**
 * Load in bulk and its accounting, for runs that are too long for tests.
 */
import { bucketsOf, documentsIn, identityOf, readingsIn } from "./documents.mjs";

const BATCH = "application/vnd.microsoft.servicebus.json";

const START = Date.UTC(2026, 0, 2);
const MINUTE_MS = 60_000;

/** The n-th reading of a fleet that is read once a minute. */
export function readingOf(n, nDevices) {
  const minute = Math.floor(n / nDevices);
  return {
    deviceId: `device-${n % nDevices}`,
    timestamp: START + minute * MINUTE_MS,
    temperature: 20 + (minute % 10) / 10,
  };
}

/** Puts readings into the hub as single events, keyed by device as IoT Hub does. */
export async function sendEvents(host, readings) {
  const batch = readings.map((reading) => ({
    Body: JSON.stringify(reading),
    BrokerProperties: { PartitionKey: reading.deviceId },
  }));
  const response = await host.post("/telemetry/messages", JSON.stringify(batch), { "content-type": BATCH });
  if (!response.ok) {
    throw new Error(`${readings.length} events: ${response.status} ${await response.text()}`);
  }
}

/** Events whose batch is done, and events that wait for it. */
export async function workedOff(host) {
  const { partitions } = await host.json("/local-host/figures");
  const sum = (name) => partitions.reduce((total, partition) => total + partition[name], 0);
  return { done: sum("checkpoint"), waiting: sum("next") - sum("checkpoint") };
}

/** Counts which of a fleet's first `nSent` readings were ever seen in storage, and which counted twice at one time. */
export class Ledger {
  constructor(nSent, nDevices) {
    this.nDevices = nDevices;
    this.seen = new Uint8Array(nSent);
    this.twice = new Uint8Array(nSent);
    this.alien = 0;
  }

  /** Looks at all that is stored. */
  async look(host) {
    const now = new Uint8Array(this.seen.length);
    // One group of devices at a time: together they need not fit into memory.
    for (const bucket of await bucketsOf(host)) {
      for (const reading of readingsIn(await documentsIn(host, bucket, "results"))) {
        this.#enter(reading, now);
      }
    }
  }

  /** Which reading it is that was stored; -1 for one that was not sent. */
  #placeOf(stored) {
    const device = Number(stored.deviceId.slice("device-".length));
    const n = ((stored.timestamp - START) / MINUTE_MS) * this.nDevices + device;
    return Number.isInteger(n) && identityOf(readingOf(n, this.nDevices)) === identityOf(stored) ? n : -1;
  }

  #enter(reading, now) {
    const place = this.#placeOf(reading);
    if (place < 0 || place >= this.seen.length) {
      this.alien += 1;
      return;
    }
    this.twice[place] |= now[place];
    now[place] = 1;
    this.seen[place] = 1;
  }

  sums() {
    const count = (marks) => marks.reduce((total, mark) => total + mark, 0);
    return { lost: this.seen.length - count(this.seen), doubled: count(this.twice), alien: this.alien };
  }
}
