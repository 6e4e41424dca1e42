/** What is stored, read with the official JavaScript client: all that was sent, once, in its shape. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { documentsOf, identityOf, readingsIn, resultsContainer, storedReadings } from "../documents.mjs";
import { poll, startHost } from "../harness.mjs";

const START = Date.UTC(2026, 0, 2);
const DEVICES = 23;
const ROUNDS = 100;
const PARTITIONS = 4;
const BUCKETS = 2;

describe("stored documents", () => {
  let host;
  const sent = [];

  before(async () => {
    host = await startHost({ partitions: PARTITIONS, env: { BUCKETS_PER_PARTITION: String(BUCKETS) } });
    await sendAll(host, sent);
    await poll("all readings to be stored", async () => {
      const stored = await storedReadings(host);
      return stored.length >= sent.length;
    });
  });

  test("hold the readings that were sent, none missing, none twice", async () => {
    const stored = await storedReadings(host);
    assert.equal(sent.length, DEVICES * ROUNDS);
    assert.deepEqual(stored.map(identityOf).sort(), sent.map(identityOf).sort());
  });

  test("come from several partitions and several batches", async () => {
    const documents = await documentsOf(host, "results");
    assert.equal(new Set(documents.map((document) => document.partition)).size, PARTITIONS);
    const batches = new Set(documents.map((document) => `${document.partition} ${document.firstSequence}`));
    assert.ok(batches.size > PARTITIONS, `${batches.size} batches`);
  });

  test("have the shape, the bucket and the id that readers rely on", async () => {
    for (const document of await documentsOf(host, "results")) {
      assertShape(document);
    }
  });

  test("can be read one by one in their partition key", async () => {
    const [{ id, bucket, readings }] = await documentsOf(host, "results");
    const { resource } = await resultsContainer(host).item(id, bucket).read();
    assert.deepEqual(resource.readings, readings);
  });

  test("keep each device in one bucket, in the order it sent", async () => {
    const buckets = new Map();
    const newest = new Map();
    const documents = await documentsOf(host, "results");
    documents.sort((left, right) => left.firstSequence - right.firstSequence);
    for (const reading of readingsIn(documents)) {
      const { deviceId, bucket, timestamp } = reading;
      assert.equal(buckets.get(deviceId) ?? bucket, bucket, deviceId);
      assert.ok((newest.get(deviceId) ?? 0) < timestamp, `${deviceId} at ${timestamp}`);
      buckets.set(deviceId, bucket);
      newest.set(deviceId, timestamp);
    }
    assert.equal(buckets.size, DEVICES);
  });

  test("have a table of devices that is no newer than the results", async () => {
    const newest = new Map();
    for (const { deviceId, timestamp } of sent) {
      newest.set(deviceId, Math.max(newest.get(deviceId) ?? 0, timestamp));
    }
    const tables = await documentsOf(host, "devices");
    const listed = tables.flatMap((table) => Object.entries(table.devices));
    assert.deepEqual(listed.map(([deviceId]) => deviceId).sort(), [...newest.keys()].sort());
    for (const table of tables) {
      assert.equal(table.columns[0], "timestamp");
      for (const [deviceId, row] of Object.entries(table.devices)) {
        assert.equal(row.length, table.columns.length);
        assert.ok(row[0] <= newest.get(deviceId), deviceId);
      }
    }
  });
});

/** Every form of a message takes part: a reading, an array, a pack. */
async function sendAll(host, sent) {
  for (let round = 0; round < ROUNDS; round += 4) {
    const messages = [];
    for (let n = 0; n < DEVICES; n += 1) {
      const deviceId = `device-${n}`;
      const readings = [0, 1, 2, 3].map((step) => readingOf(n, round + step));
      sent.push(...readings.map((reading) => ({ deviceId, ...reading })));
      messages.push(sendInForms(host, deviceId, readings, n % 3));
    }
    await Promise.all(messages);
  }
}

function readingOf(n, round) {
  const temperature = Math.round((20 + n / 3 + Math.sin(round / 7)) * 1000) / 1000;
  return { timestamp: START + round * 60_000 + n, temperature };
}

async function sendInForms(host, deviceId, readings, form) {
  if (form === 0) {
    for (const reading of readings) {
      const timestamp = new Date(reading.timestamp).toISOString();
      await host.sendOk(deviceId, { ...reading, timestamp, messageId: `${deviceId}-${timestamp}` });
    }
  } else if (form === 1) {
    await host.sendOk(
      deviceId,
      readings.map((reading) => ({ deviceId, ...reading })),
    );
  } else {
    await host.sendOk(deviceId, { deviceId, readings });
  }
}

function assertShape(document) {
  const context = document.id;
  const { bucket, partition, firstSequence, lastSequence, columns } = document;
  assert.equal(document.type, "results");
  assert.equal(document.version, 1);
  assert.equal(document.hub, "telemetry");
  assert.match(document.id, new RegExp(`^results-${firstSequence}-${lastSequence}-[0-9a-f]+$`));
  const [log, ofPartition, number, ...rest] = bucket.split(".");
  assert.match(log, /^[0-9a-f]+$/);
  assert.equal(ofPartition, partition);
  assert.ok(Number(number) >= 0 && Number(number) < BUCKETS && rest.length === 0, bucket);
  for (const name of ["epoch", "term", "firstSequence", "lastSequence", "enqueuedTo", "from", "to", "ttl"]) {
    assert.ok(Number.isSafeInteger(document[name]) && document[name] >= 0, `${context}: ${name}`);
  }
  assert.ok(document.writer.length > 0, context);
  assert.ok(document.enqueuedTo > START, context);
  assert.ok(firstSequence <= lastSequence && document.from <= document.to && document.ttl > 0, context);
  assert.ok(JSON.stringify(document).length < 256 * 1024, context);
  const times = [];
  for (const reading of readingsIn([document])) {
    assert.ok(reading.sequence >= firstSequence && reading.sequence <= lastSequence, context);
    assert.ok(reading.index >= 0 && reading.index < reading.count, context);
    times.push(reading.timestamp);
  }
  assert.ok(
    Object.values(document.readings)
      .flat()
      .every((row) => row.length === columns.length),
    context,
  );
  assert.equal(Math.min(...times), document.from);
  assert.equal(Math.max(...times), document.to);
}
