/** Live messages, as any client sees them: negotiation through the app, then updates of the hub. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HubConnectionBuilder, LogLevel } from "@microsoft/signalr";
import { atEnd, poll, startHost } from "../harness.mjs";

const START = Date.UTC(2026, 0, 2);

test("a client negotiates through the app and receives updates of what devices send", async () => {
  const host = await startHost();
  const updates = [];
  const connection = new HubConnectionBuilder()
    .withUrl(`${host.url}/api`)
    .configureLogging(LogLevel.None)
    .build();
  connection.on("update", (...args) => updates.push(args));
  atEnd(() => connection.stop());
  await connection.start();

  // Messages come at most once a second, so readings are sent until all have been announced.
  let nSent = 0;
  await poll("two updates that announce all readings", async () => {
    if (updates.length < 2) {
      const reading = { temperature: 21.5, timestamp: START + nSent * 60_000 };
      const response = await host.send(`live-${nSent % 3}`, reading);
      assert.equal(response.status, 204);
      assert.equal(await response.text(), "");
      nSent += 1;
    }
    return updates.length >= 2;
  });

  for (const args of updates) {
    assert.equal(args.length, 1);
    assertUpdate(args[0]);
  }
  const nAnnounced = updates.reduce((sum, [update]) => sum + update.readings, 0);
  assert.ok(nAnnounced <= nSent, `${nAnnounced} readings announced, ${nSent} sent`);
  const announced = new Set(updates.flatMap(([update]) => update.devices.map((row) => row.deviceId)));
  assert.deepEqual([...announced].sort(), ["live-0", "live-1", "live-2"]);
});

function assertUpdate(update) {
  assert.deepEqual(Object.keys(update).sort(), [
    "alerts",
    "anomalies",
    "devices",
    "enqueuedAt",
    "readings",
    "rejects",
  ]);
  assert.ok(Number.isSafeInteger(update.enqueuedAt) && update.enqueuedAt > START);
  assert.ok(update.readings > 0);
  assert.equal(update.rejects, 0);
  assert.deepEqual(update.alerts, { opened: [], escalated: [], closed: [] });
  for (const row of update.devices) {
    assert.match(row.deviceId, /^live-[0-2]$/);
    assert.equal(row.temperature, 21.5);
    assert.equal(row.status, "learning");
    assert.equal((row.timestamp - START) % 60_000, 0);
  }
}
