/** What people decide about alerts: acknowledged once, told live, gone with the alert; muted and unmuted. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HubConnectionBuilder, LogLevel } from "@microsoft/signalr";
import { documentsOf } from "../documents.mjs";
import { atEnd, poll, startHost } from "../harness.mjs";

const MINUTE_MS = 60_000;
/** Mutes are held against the devices' own times, so these are of today. */
const START = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 12 * 60 * MINUTE_MS;
const LIMITS = { LIMITS: "freezer-*=..-15" };
const COLD = -20;
const WARM = -4;

test("an alert is acknowledged once, by its first reader, until it closes", async () => {
  const host = await startHost({ partitions: 1, env: LIMITS });
  const told = await listen(host);
  const [first] = await openAlerts(host, ["freezer-1"], 5);
  assert.deepEqual([first.acknowledged, first.muted], [null, false]);
  await poll("an alert that waits", async () => (await host.json("/api/summary")).unacknowledgedAlerts === 1);

  const body = { alertIds: [first.alertId], note: "<b>on my way</b>", by: "anna" };
  const done = await act(host, "/api/alerts/acknowledge", body);
  assert.equal(done.results[0].result, "acknowledged");
  const repeats = await Promise.all([
    act(host, "/api/alerts/acknowledge", body),
    act(host, "/api/alerts/acknowledge", { ...body, note: "me too", by: "berta" }),
  ]);
  for (const { results } of repeats) {
    assert.deepEqual(results, [{ ...done.results[0], result: "unchanged" }]);
  }
  assert.equal((await documentsOf(host, "acknowledgement")).length, 1);
  const [listed] = await alertsOf(host, "acknowledged=true");
  assert.deepEqual(listed.acknowledged, done.results[0].acknowledged);
  assert.deepEqual(await alertsOf(host, "acknowledged=false"), []);
  await poll("no alert that waits", async () => (await host.json("/api/summary")).unacknowledgedAlerts === 0);
  const news = await poll("live news of it", () => told.find(({ act }) => act === "acknowledged"));
  assert.deepEqual([news.by, news.count, news.alertIds], ["anna", 1, [first.alertId]]);
  assert.equal(told.filter(({ act }) => act === "acknowledged").length, 1, "repeats are no news");

  for (const hours of [1, 3, 5]) {
    await send(host, "freezer-1", 5 + hours * 60, COLD);
  }
  const [closed] = await poll("the end of the alert", async () => {
    const alerts = await alertsOf(host, "state=closed");
    return alerts.length > 0 && alerts;
  });
  assert.deepEqual([closed.alertId, closed.acknowledged.by], [first.alertId, "anna"]);
  const again = await post(host, "/api/alerts/acknowledge", body);
  assert.equal(again.status, 200, "what was acknowledged stays so");

  const [second] = await openAlerts(host, ["freezer-1"], 400);
  assert.notEqual(second.alertId, first.alertId);
  assert.equal(second.acknowledged, null, "the device is armed again");
});

test("of many alerts each has its own result, and who may not act is refused", async () => {
  const host = await startHost({ partitions: 2, env: { ...LIMITS, ALLOW_ANONYMOUS: "", API_KEY: "right" } });
  const key = { "x-api-key": "right" };
  const alerts = await openAlerts(host, ["freezer-1", "freezer-2", "freezer-3"], 5, key);
  const alertIds = alerts.map(({ alertId }) => alertId);
  for (const headers of [{}, { "x-api-key": "wrong" }]) {
    assert.equal((await post(host, "/api/alerts/acknowledge", { alertIds }, headers)).status, 401);
  }
  const form = { ...key, "content-type": "text/plain" };
  assert.equal((await post(host, "/api/alerts/acknowledge", { alertIds }, form)).status, 415);

  const { results } = await act(host, "/api/alerts/acknowledge", { alertIds: ["nonsense", ...alertIds] }, key);
  assert.deepEqual(
    results.map(({ result }) => result),
    ["unknown", "acknowledged", "acknowledged", "acknowledged"],
  );
  const single = await post(host, "/api/alerts/acknowledge", { alertIds: ["nonsense"] }, key);
  assert.equal(single.status, 404);
  assert.match((await single.json()).error.message, /nonsense/);
  for (const [path, query, expected] of [
    ["/api/alerts", "prefix=freezer-&kind=limit", 3],
    ["/api/alerts", "prefix=fridge-", 0],
    ["/api/alerts", `alertId=${alertIds[1]}`, 1],
    ["/api/alerts", "alertId=nonsense", 0],
  ]) {
    assert.equal((await host.json(`${path}?${query}`, key)).alerts.length, expected, query);
  }
});

test("a mute covers what opens in its time, until it is ended", async () => {
  const host = await startHost({ partitions: 1, env: LIMITS });
  const told = await listen(host);
  const order = {
    devices: "freezer-*",
    from: START + 60 * MINUTE_MS,
    until: Date.now() + 60 * MINUTE_MS,
    reason: "defrosting",
    by: "anna",
  };
  const { mute } = await act(host, "/api/mutes", order);
  assert.equal(mute.state, "active");
  assert.deepEqual((await act(host, "/api/mutes", order)).mute, mute, "the same order is the same mute");

  const [before] = await openAlerts(host, ["freezer-1"], 5);
  const [during] = await openAlerts(host, ["freezer-2"], 90);
  assert.deepEqual([before.muted, during.muted], [false, true]);
  await poll("one that waits", async () => (await host.json("/api/summary")).unacknowledgedAlerts === 1);

  const ended = (await act(host, "/api/mutes/end", { muteId: mute.muteId, by: "berta" })).mute;
  assert.deepEqual([ended.state, ended.ended.by], ["past", "berta"]);
  assert.deepEqual((await act(host, "/api/mutes/end", { muteId: mute.muteId })).mute, ended);
  assert.equal((await post(host, "/api/mutes/end", { muteId: "mute-unknown" })).status, 404);
  assert.deepEqual((await host.json("/api/mutes?state=past")).mutes, [ended]);
  assert.deepEqual((await host.json("/api/mutes?state=active")).mutes, []);
  const [still] = await alertsOf(host, "deviceId=freezer-2");
  assert.equal(still.muted, true, "it was opened before the end");
  await poll("live news", () => told.length === 2);
  assert.deepEqual(
    told.map(({ act, by, muteId, devices }) => [act, by, muteId, devices]),
    [
      ["muted", "anna", mute.muteId, "freezer-*"],
      ["unmuted", "berta", mute.muteId, "freezer-*"],
    ],
  );
});

test("without SignalR an act fails once, is stored, and succeeds when it is done again", async () => {
  const host = await startHost({ partitions: 1, env: LIMITS });
  const [alert] = await openAlerts(host, ["freezer-1"], 5);
  await host.setFaults({ signalR: { condition: "refuses" } });
  const body = { alertIds: [alert.alertId], by: "anna" };
  assert.equal((await post(host, "/api/alerts/acknowledge", body)).status, 500);
  const { results } = await act(host, "/api/alerts/acknowledge", body);
  assert.equal(results[0].result, "unchanged");
  assert.equal((await documentsOf(host, "acknowledgement")).length, 1);
});

/** Breaks the devices' limit at a minute after the start, and answers their open alerts. */
async function openAlerts(host, devices, minute, headers = {}) {
  for (const device of devices) {
    await send(host, device, minute - 1, COLD);
    await send(host, device, minute, WARM);
  }
  return poll("the alerts", async () => {
    const { alerts } = await host.json("/api/alerts?kind=limit", headers);
    const found = alerts.filter(({ deviceId }) => devices.includes(deviceId));
    return found.length === devices.length && found;
  });
}

function send(host, device, minute, temperature) {
  return host.sendOk(device, { temperature, timestamp: START + minute * MINUTE_MS });
}

async function alertsOf(host, query) {
  return (await host.json(`/api/alerts?kind=limit&${query}`)).alerts;
}

function post(host, path, body, headers = {}) {
  return host.post(path, JSON.stringify(body), { "content-type": "application/json", ...headers });
}

/** Posts what must succeed, and answers its JSON. */
async function act(host, path, body, headers = {}) {
  const response = await post(host, path, body, headers);
  const text = await response.text();
  assert.equal(response.status, 200, `POST ${path}: ${text}`);
  return JSON.parse(text);
}

/** Gathers what live messages tell of people's acts. */
async function listen(host) {
  const told = [];
  const connection = new HubConnectionBuilder().withUrl(`${host.url}/api`).configureLogging(LogLevel.None).build();
  connection.on("people", (news) => told.push(news));
  atEnd(() => connection.stop());
  await connection.start();
  return told;
}
