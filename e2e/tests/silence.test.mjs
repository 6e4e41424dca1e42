/** A hub from which nothing comes: told once, whoever looks, and once when it is back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { startMailServer, subjectsOf } from "../mail_server.mjs";
import { notificationsOf, startAccount, startSender, storeHeard } from "../senders.mjs";

const MINUTE_MS = 60_000;
/** How long a process looks before it calls a hub silent that it has never heard. */
const STILL_MS = 32_000;

test("a silent hub is one letter whoever looks, and one when it is back", async () => {
  const [host, server] = await Promise.all([startAccount(), startMailServer()]);
  const start = () => startSender(host, { SMTP_URL: server.url });
  const first = await start();
  assert.equal(await first.fire(), 200);
  await pause(STILL_MS);
  assert.equal(await first.fire(), 200);
  assert.deepEqual(server.letters, [], "nothing was ever heard");
  await first.kill();

  await storeHeard(host, { 0: Date.now() - 20 * MINUTE_MS, 1: Date.now() - 25 * MINUTE_MS });
  const senders = await Promise.all(Array.from({ length: 5 }, start));
  const fireAll = () => Promise.all(senders.map((sender) => sender.fire()));
  await fireAll();
  assert.deepEqual(server.letters, [], "seen once proves nothing");
  await pause(STILL_MS);
  for (let round = 0; round < 3; round += 1) {
    assert.deepEqual(await fireAll(), [200, 200, 200, 200, 200]);
  }
  assert.deepEqual(subjectsOf(server), ["No readings of hub telemetry"]);
  assert.match(server.letters[0].text, /silent since 20/);

  const later = await start();
  await later.fire();
  await pause(STILL_MS);
  await later.fire();
  assert.equal(server.letters.length, 1, "another process knows what was told");
  await later.kill();

  await storeHeard(host, { 0: Date.now(), 1: Date.now() - 25 * MINUTE_MS });
  const others = await Promise.all([start(), start()]);
  for (let round = 0; round < 2; round += 1) {
    await Promise.all(others.map((sender) => sender.fire()));
  }
  assert.deepEqual(subjectsOf(server).slice(1), ["Readings again of hub telemetry"]);
  const documents = await notificationsOf(host);
  assert.deepEqual(documents.map(({ id, silent }) => [id, silent?.length ?? 0]).sort(), [
    ["mail-silence-1", 1],
    ["mail-silence-2", 0],
  ]);
  await Promise.all([...senders, ...others].map((sender) => sender.kill()));
  await host.kill();
});

test("nobody is told of what is muted as a whole, or switched off", async () => {
  const [host, server] = await Promise.all([startAccount(), startMailServer()]);
  await storeHeard(host, { 0: Date.now() - 20 * MINUTE_MS });
  const order = { devices: "*", minutes: 60, reason: "the building has no power" };
  const headers = { "content-type": "application/json" };
  const muted = await host.post("/api/mutes", JSON.stringify(order), headers);
  assert.equal(muted.status, 200);
  const { mute } = await muted.json();
  const [sender, off] = await Promise.all([
    startSender(host, { SMTP_URL: server.url }),
    startSender(host, { SMTP_URL: server.url, SILENT_AFTER_MINUTES: "0" }),
  ]);
  const fire = () => Promise.all([sender.fire(), off.fire()]);
  await fire();
  await pause(STILL_MS);
  await fire();
  assert.deepEqual(server.letters, []);
  await host.post("/api/mutes/end", JSON.stringify({ muteId: mute.muteId }), headers);
  await off.fire();
  assert.deepEqual(server.letters, []);
  await sender.fire();
  assert.deepEqual(subjectsOf(server), ["No readings of hub telemetry"]);
  await Promise.all([sender.kill(), off.kill(), host.kill()]);
});
