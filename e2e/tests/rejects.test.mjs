/** Events that are no readings: each becomes a reject with its reason and text, its neighbours are scored. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { documentsOf, identityOf, storedReadings } from "../documents.mjs";
import { poll, startHost } from "../harness.mjs";

const START = Date.UTC(2026, 0, 2);
const DEVICE = "sensor";

/** Messages of one device, in the order in which they are sent; a reason where one is to be rejected. */
const MESSAGES = [
  { body: reading(0) },
  { body: '{"temperature":21.5,', reason: "malformed" },
  { body: reading(1) },
  { body: { ...reading(2), deviceId: "somebody-else" }, reason: "spoofed-device-id" },
  { body: reading(3) },
  { body: "[]", reason: "empty" },
  { body: "17", reason: "not-an-object" },
  { body: "", reason: "malformed" },
  { body: "ÿ \u0000 \u{1f321} </script>", reason: "malformed" },
  { body: { timestamp: START }, reason: "missing-temperature" },
  { body: { temperature: "hot", timestamp: START }, reason: "invalid-temperature" },
  { body: { temperature: -300, timestamp: START }, reason: "invalid-temperature" },
  { body: { temperature: 20 }, reason: "missing-timestamp" },
  { body: { temperature: 20, timestamp: "yesterday" }, reason: "invalid-timestamp" },
  { body: { temperature: 20, timestamp: Date.UTC(2999, 0, 1) }, reason: "clock-ahead" },
  { body: "[".repeat(5_000), reason: "malformed" },
  { body: `2026-01-02T03:04:05Z`, reason: "malformed" },
  { body: reading(4) },
];
/** One message with good and bad parts: the parts are judged one by one. */
const MIXED = [reading(5), { temperature: null, timestamp: START }, reading(6), 5];
const MIXED_REASONS = ["missing-temperature", "not-an-object"];

describe("events that are no readings", () => {
  let host;
  let documents;

  before(async () => {
    host = await startHost({ partitions: 1 });
    for (const { body } of MESSAGES) {
      await host.sendOk(DEVICE, body);
    }
    await host.sendOk(DEVICE, MIXED);
    // The last message of the partition: what came before it has been decided on.
    await host.sendOk(DEVICE, reading(7));
    await poll("the last reading to be stored", async () => {
      const stored = await storedReadings(host);
      return stored.some(({ timestamp }) => timestamp === reading(7).timestamp);
    });
    documents = await documentsOf(host, "rejects");
  });

  test("become rejects with reason and text", () => {
    const rejects = documents.flatMap((document) => document.rejects);
    rejects.sort((left, right) => left.sequence - right.sequence || left.index - right.index);
    const whole = rejects.filter(({ count }) => count === 1);
    const expected = MESSAGES.filter(({ reason }) => reason !== undefined);
    assert.deepEqual(
      whole.map(({ reason, text }) => ({ reason, text: text.join("") })),
      expected.map(({ reason, body }) => ({ reason, text: textOf(body) })),
    );
    for (const { detail, deviceId, enqueuedAt, cut } of whole) {
      assert.ok(detail.length > 0 && !cut);
      assert.equal(deviceId, DEVICE);
      assert.ok(enqueuedAt > START);
    }
  });

  test("are judged part by part", () => {
    const rejects = documents.flatMap((document) => document.rejects).filter(({ count }) => count > 1);
    assert.deepEqual(
      rejects.map(({ reason }) => reason),
      MIXED_REASONS,
    );
    assert.deepEqual(
      rejects.map(({ index, count }) => [index, count]),
      [
        [1, 4],
        [3, 4],
      ],
    );
  });

  test("leave their neighbours scored", async () => {
    const stored = await storedReadings(host);
    const expected = [0, 1, 3, 4, 5, 6, 7].map((n) => ({ deviceId: DEVICE, ...reading(n) }));
    assert.deepEqual(stored.map(identityOf).sort(), expected.map(identityOf).sort());
  });

  test("lie in the partition's bucket for what was left out", () => {
    for (const { id, type, bucket, firstSequence, lastSequence } of documents) {
      assert.equal(type, "rejects");
      assert.match(bucket, /^[0-9a-f]+\.0\.x$/);
      assert.match(id, new RegExp(`^rejects-${firstSequence}-${lastSequence}-[0-9a-f]+$`));
    }
  });

  test("are cut when they are long, and say so", async () => {
    const long = "x".repeat(100_000);
    await host.sendOk(DEVICE, long);
    const entry = await poll("the reject", async () => {
      const rejects = (await documentsOf(host, "rejects")).flatMap((document) => document.rejects);
      return rejects.find(({ cut }) => cut);
    });
    assert.equal(entry.reason, "malformed");
    assert.equal(entry.text.join(""), long.slice(0, 16 * 1024));
  });

  test("a reading that comes twice is stored once", async () => {
    await host.sendOk(DEVICE, reading(8));
    await host.sendOk(DEVICE, reading(8));
    const skip = await poll("the skip", async () => {
      const skips = (await documentsOf(host, "rejects")).flatMap((document) => document.skips);
      return skips.find(({ reason }) => reason === "duplicate");
    });
    assert.equal(skip.deviceId, DEVICE);
    const stored = await storedReadings(host);
    assert.equal(stored.filter(({ timestamp }) => timestamp === reading(8).timestamp).length, 1);
  });
});

test("two messages at once that are garbage are two rejects", async () => {
  const host = await startHost();
  const garbage = ["\u0000\u0001\u0002", '{"temperature":'.repeat(1_000)];
  await Promise.all(garbage.map((body, n) => host.sendOk(`broken-${n}`, body)));
  await host.sendOk("whole", reading(0));
  const rejects = await poll("both rejects and the reading", async () => {
    const entries = (await documentsOf(host, "rejects")).flatMap((document) => document.rejects);
    const stored = await storedReadings(host);
    return entries.length >= garbage.length && stored.length === 1 && entries;
  });
  assert.deepEqual(rejects.map(({ text }) => text.join("")).sort(), garbage.sort());
  assert.ok(rejects.every(({ reason }) => reason === "malformed"));
});

function reading(n) {
  return { temperature: 20 + n / 8, timestamp: START + n * 60_000 };
}

function textOf(body) {
  return typeof body === "string" ? body : JSON.stringify(body);
}
