/** Who is reminded of what, and what happens to alerts while nothing can be sent, through a real mail server. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { poll, startHost } from "../harness.mjs";
import { startMailServer, subjectsOf } from "../mail_server.mjs";
import { age, notificationsOf, startAccount, startSender, storeStep } from "../senders.mjs";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** News wait until it was quiet for so long; the account's clock counts whole seconds. */
const QUIET_MS = 32_000;
const STALE_MS = 6 * MINUTE_MS;
/** How long before their reminders alerts are opened: longer than it takes to tell of their opening. */
const LEAD_MS = 120_000;

test("who is critical and waits is told again after one and three hours, and nobody else", async () => {
  const env = { LIMITS: "freezer-*=..-15", MAIL_TO: "", MAIL_TO_CRITICAL: "", WEBHOOK_URL: "" };
  const [host, server] = await Promise.all([startHost({ partitions: 1, env }), startMailServer()]);
  const now = Date.now();
  await act(host, "/api/mutes", { devices: "freezer-muted*", from: now - 5 * HOUR_MS, minutes: 600, reason: "defrosting" });
  const opened = {
    "freezer-hour": now - HOUR_MS + LEAD_MS,
    "freezer-known": now - HOUR_MS + LEAD_MS,
    "freezer-muted": now - HOUR_MS + LEAD_MS,
    "freezer-between": now - 2 * HOUR_MS,
    "freezer-third": now - 3 * HOUR_MS + LEAD_MS,
  };
  for (const [device, at] of Object.entries(opened)) {
    await host.sendOk(device, { temperature: -20, timestamp: at - MINUTE_MS });
    await host.sendOk(device, { temperature: -4, timestamp: at });
  }
  const alerts = await poll("the alerts", async () => {
    const found = (await host.json("/api/alerts?kind=limit&severity=critical")).alerts;
    return found.length === Object.keys(opened).length && found;
  });
  const idOf = (device) => alerts.find(({ deviceId }) => deviceId === device).alertId;
  const start = () => startSender(host, { SMTP_URL: server.url, LIMITS: env.LIMITS });
  const told = () => server.letters.map(({ text }) => devicesIn(text));

  await pause(QUIET_MS);
  const first = await start();
  await first.fire();
  assert.deepEqual(told(), [["between", "hour", "known", "third"]], "whoever is muted is not told of");
  await act(host, "/api/alerts/acknowledge", { alertIds: [idOf("freezer-known")], by: "anna" });

  // A process looks for whom to remind of every ten minutes, and when it begins.
  const early = await start();
  await early.fire();
  assert.equal(server.letters.length, 1, "no hour has passed");
  await pause(now + LEAD_MS + 1000 - Date.now());
  const second = await start();
  await second.fire();
  await second.fire();
  assert.deepEqual(told()[1], ["hour", "third"]);
  assert.match(subjectsOf(server)[1], /^Still critical, and nobody took note: /);

  await act(host, "/api/alerts/acknowledge", { alertIds: [idOf("freezer-known")], acknowledged: false });
  const third = await start();
  await third.fire();
  await third.fire();
  assert.deepEqual(told().slice(2), [["known"]], "what was taken back waits again, and the others were told");
  await Promise.all([first, early, second, third].map((sender) => sender.kill()));
  await host.kill();
});

test("what an alert goes through while nothing can be sent is told afterwards, in order", async () => {
  const [host, server] = await Promise.all([startAccount(), startMailServer()]);
  const sender = await startSender(host, { SMTP_URL: server.url });
  const known = await storeStep(host, { severity: "warning" });
  await pause(QUIET_MS);
  await sender.fire();
  assert.deepEqual(subjectsOf(server), [`${known.deviceId}: sudden change`]);

  await server.down();
  await storeStep(host, { ...known, step: "closed" });
  const short = await storeStep(host, { deviceId: "cellar", severity: "warning" });
  await pause(QUIET_MS);
  await sender.fire();
  assert.deepEqual((await notificationsOf(host)).map(({ state }) => state).sort(), ["done", "waiting"]);
  await storeStep(host, { ...short, step: "closed" });
  await pause(QUIET_MS);
  await server.up();
  await age(host, STALE_MS);
  await sender.fire();
  await sender.fire();
  assert.deepEqual(subjectsOf(server).slice(1), [
    "cellar: sudden change, and another group",
    "Recovered: cellar: sudden change",
  ]);
  assert.match(server.letters[1].text, new RegExp(`Recovered: ${known.deviceId}: sudden change`));
  await Promise.all([sender.kill(), host.kill()]);
});

test("what becomes critical while a claim is left behind is told after it", async () => {
  const [host, server] = await Promise.all([startAccount(), startMailServer()]);
  const sender = await startSender(host, { SMTP_URL: server.url });
  const opened = await storeStep(host, { severity: "warning" });
  await pause(QUIET_MS);
  server.stopAt("data");
  const call = sender.fire();
  await poll("the handler in the middle of a letter", () => server.isReached);
  await sender.kill();
  assert.equal(await call, null);
  server.forget();
  await storeStep(host, { ...opened, step: "escalated", severity: "critical" });
  await pause(QUIET_MS);
  const other = await startSender(host, { SMTP_URL: server.url });
  await other.fire();
  assert.deepEqual(subjectsOf(server), [], "the claim may still be somebody's");
  await age(host, STALE_MS);
  await other.fire();
  await other.fire();
  const what = `${opened.deviceId}: sudden change`;
  assert.deepEqual(subjectsOf(server), [what, `Now critical: ${what}`]);
  await Promise.all([other.kill(), host.kill()]);
});

/** What a letter's text names behind `freezer-`, each once. */
function devicesIn(letter) {
  const [, text] = /Content-Type: text\/plain[^]*?\r\n\r\n([^]*?)\r\n--/.exec(letter);
  const whole = text.replace(/=\r\n/g, "");
  return [...new Set([...whole.matchAll(/freezer-([a-z]+)/g)].map(([, name]) => name))].sort();
}

async function act(host, path, body) {
  const response = await host.post(path, JSON.stringify(body), { "content-type": "application/json" });
  assert.equal(response.status, 200, `POST ${path}: ${await response.clone().text()}`);
  return response.json();
}
