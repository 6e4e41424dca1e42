/** Killing and restarting: what was taken from devices ends up stored, once, and nothing is left behind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertStored, documentsOf, identityOf, storedReadings } from "../documents.mjs";
import { isAlive, poll, startHost } from "../harness.mjs";

const START = Date.UTC(2026, 0, 2);
const DEVICES = 12;
const PER_MESSAGE = 10;
/** The handler looks for its parent twice a second. */
const ORPHAN_MS = 10_000;

test("a handler that is killed is replaced, and no reading is lost or doubled", async () => {
  const host = await startHost({ partitions: 2 });
  const [first] = await poll("the handler", () => pidsOf(host));
  const sent = await send(host, { from: 0, rounds: 10 });
  const sending = send(host, { from: 10, rounds: 40 });
  process.kill(first, "SIGKILL");
  sent.push(...(await sending));

  const [second] = await poll("another handler", async () => {
    const pids = await pidsOf(host);
    return pids !== null && pids[0] !== first && pids;
  });
  assert.notEqual(second, first);
  await assertStored(host, sent);
  host.program.mustRun();

  // Two deaths are forgiven, a third ends the host.
  process.kill(second, "SIGKILL");
  sent.push(...(await send(host, { from: 50, rounds: 5 })));
  await assertStored(host, sent);
  await poll("the API", async () => (await host.get("/api/summary")).status === 200);
});

test("the fleet stays complete when another handler has seen only one device", async () => {
  const host = await startHost({ partitions: 1, env: { BUCKETS_PER_PARTITION: "1" } });
  const sent = await send(host, { from: 0, rounds: 5 });
  await assertStored(host, sent);
  const before = await fleetOf(host, DEVICES);
  const [first] = await poll("the handler", () => pidsOf(host));
  process.kill(first, "SIGKILL");

  const latest = reading(0, 1_000);
  await host.sendOk("device-0", latest);
  const { devices } = await poll("the reading to be listed", async () => {
    const fleet = await host.json("/api/devices");
    return fleet.devices.some(({ timestamp }) => timestamp === latest.timestamp) && fleet;
  });
  assert.deepEqual(
    devices.map(({ deviceId }) => deviceId),
    before.map(({ deviceId }) => deviceId),
  );
  const { readings } = await host.json("/api/devices/device-1/readings?from=0");
  assert.equal(readings.length, 5 * PER_MESSAGE);
});

test("messages of 256 KB, good and bad, in one group of devices: all is stored, and no document is too large", async () => {
  const host = await startHost({ partitions: 1, env: { BUCKETS_PER_PARTITION: "1" } });
  const readings = (message) =>
    Array.from({ length: 500 }, (_, n) => ({ timestamp: START + (message * 500 + n) * 1000, temperature: 20 }));
  const padded = (message) => readings(message).map((reading) => ({ ...reading, note: "x".repeat(460) }));
  const good = [0, 1, 2, 3].map(padded);
  const bad = [4, 5, 6, 7].map((message) => padded(message).map(({ note }) => ({ note })));
  for (const message of good) {
    const length = JSON.stringify(message).length;
    assert.ok(length > 240_000 && length < 256 * 1024, `${length} bytes`);
  }
  // All at once, so that they share batches.
  await Promise.all([...good, ...bad].map((message, n) => host.sendOk(`device-${n % 4}`, message)));

  const sent = [0, 1, 2, 3].flatMap((message) =>
    readings(message).map((reading) => ({ ...reading, deviceId: `device-${message}` })),
  );
  await assertStored(host, sent);
  const rejects = await poll("the rejects", async () => {
    const documents = await documentsOf(host, "rejects");
    const entries = documents.flatMap((document) => document.rejects);
    return new Set(entries.map(({ sequence }) => sequence)).size === bad.length && documents;
  });
  for (const document of [...rejects, ...(await documentsOf(host, "results"))]) {
    assert.ok(JSON.stringify(document).length < 256 * 1024, `${document.id} is too large`);
  }
  host.program.mustRun();
});

test("a local host that is killed leaves no handler behind", async () => {
  const host = await startHost();
  const [handler] = await poll("the handler", () => pidsOf(host));
  assert.ok(await isAlive(handler));
  await host.kill();
  await poll("the handler's end", async () => !(await isAlive(handler)), ORPHAN_MS);
});

test("a local host that is stopped takes its handler along", async () => {
  const host = await startHost();
  const [handler] = await poll("the handler", () => pidsOf(host));
  await host.stop();
  assert.equal(host.program.code, 0, host.program.output);
  await poll("the handler's end", async () => !(await isAlive(handler)), ORPHAN_MS);
});

test("documents outlive a restart, and sequence numbers go on", async () => {
  const before = await startHost({ partitions: 2 });
  const sent = await send(before, { from: 0, rounds: 5 });
  await assertStored(before, sent);
  const documents = await contentOf(before);
  await before.stop();

  const host = await startHost({ partitions: 2, data: before.data });
  assert.deepEqual(await contentOf(host), documents);
  sent.push(...(await send(host, { from: 5, rounds: 5 })));
  await assertStored(host, sent);
  const { readings } = await host.json(`/api/devices/device-3/readings?from=0&limit=50000`);
  assert.equal(readings.length, 10 * PER_MESSAGE);
});

test("what a local host had taken when it was killed is stored by the next one", async () => {
  const before = await startHost({ partitions: 2 });
  const taken = await send(before, { from: 0, rounds: 5 });
  const doubtful = [];
  const sending = send(before, { from: 5, rounds: 200, taken, doubtful });
  const nEnough = taken.length + DEVICES * PER_MESSAGE * 5;
  await poll("some more messages to be taken", () => taken.length >= nEnough);
  await before.kill();
  await sending;
  assert.ok(doubtful.length > 0, "everything was sent before the kill");

  const host = await startHost({ partitions: 2, data: before.data });
  const stored = await poll("all taken readings to be stored", async () => {
    const identities = (await storedReadings(host)).map(identityOf);
    const known = new Set(identities);
    return taken.every((reading) => known.has(identityOf(reading))) && identities;
  });
  assert.equal(new Set(stored).size, stored.length, "a reading is stored twice");
  // A message without an answer may have been taken or not.
  const allowed = new Set([...taken, ...doubtful].map(identityOf));
  assert.ok(stored.every((identity) => allowed.has(identity)));
});

/** The fleet as the API lists it, once it is complete. */
function fleetOf(host, n) {
  return poll("the fleet", async () => {
    const { devices } = await host.json("/api/devices");
    return devices.length === n && devices;
  });
}

async function pidsOf(host) {
  const pids = await host.handlerPids();
  return pids.length > 0 ? pids : null;
}

/**
 * Sends rounds of one message a device, and answers the readings that were taken.
 *
 * With `doubtful`, messages that get no answer go there and end the sending.
 */
async function send(host, { from, rounds, taken = [], doubtful = null }) {
  for (let round = from; round < from + rounds; round += 1) {
    await Promise.all(
      Array.from({ length: DEVICES }, async (_, n) => {
        const deviceId = `device-${n}`;
        const readings = Array.from({ length: PER_MESSAGE }, (_, k) => reading(n, round * PER_MESSAGE + k));
        const named = readings.map((one) => ({ deviceId, ...one }));
        try {
          await host.sendOk(deviceId, readings);
          taken.push(...named);
        } catch (error) {
          if (doubtful === null) {
            throw error;
          }
          doubtful.push(...named);
        }
      }),
    );
    if (doubtful !== null && doubtful.length > 0) {
      break;
    }
  }
  return taken;
}

function reading(n, step) {
  const temperature = Math.round((20 + n + Math.sin(step / 9)) * 1000) / 1000;
  return { timestamp: START + step * 60_000, temperature };
}

/** All documents without what the account adds and may make anew. */
async function contentOf(host) {
  const lists = await Promise.all(["results", "devices", "rejects"].map((type) => documentsOf(host, type)));
  const contents = lists.flat().map((document) => {
    const own = Object.entries(document).filter(([name]) => !name.startsWith("_"));
    return Object.fromEntries(own);
  });
  const keyOf = ({ bucket, id }) => `${bucket} ${id}`;
  return contents.sort((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
}
