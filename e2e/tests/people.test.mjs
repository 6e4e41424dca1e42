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
  assert.deepEqual(told, [], "an act itself tells nobody");
  assert.deepEqual(await act(host, "/api/acts/announce", {}), { announced: true });
  await poll("live news of it", () => told.length === 1);
  assert.ok(told[0].at > Date.now() - MINUTE_MS);

  const taken = await act(host, "/api/alerts/acknowledge", { ...body, acknowledged: false, by: "berta" });
  assert.deepEqual(taken.results, [{ alertId: first.alertId, result: "withdrawn", acknowledged: null }]);
  await poll("an alert that waits again", async () => (await host.json("/api/summary")).unacknowledgedAlerts === 1);
  const [again] = (await act(host, "/api/alerts/acknowledge", body)).results;
  assert.deepEqual([again.result, again.acknowledged.by], ["acknowledged", "anna"]);
  assert.ok(again.acknowledged.at > done.results[0].acknowledged.at);
  assert.equal((await documentsOf(host, "acknowledgement")).length, 3, "a document an act");

  for (const hours of [1, 3, 5]) {
    await send(host, "freezer-1", 5 + hours * 60, COLD);
  }
  const [closed] = await poll("the end of the alert", async () => {
    const alerts = await alertsOf(host, "state=closed");
    return alerts.length > 0 && alerts;
  });
  assert.deepEqual([closed.alertId, closed.acknowledged.by], [first.alertId, "anna"]);
  assert.equal((await post(host, "/api/alerts/acknowledge", body)).status, 200, "what was acknowledged stays so");
  const late = await post(host, "/api/alerts/acknowledge", { ...body, acknowledged: false });
  assert.equal(late.status, 409, "also when somebody would take it back");

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
  const anew = (await act(host, "/api/mutes", order)).mute;
  assert.notEqual(anew.muteId, mute.muteId, "what was ended is ordered anew");
  assert.deepEqual([anew.from, anew.until], [mute.from, mute.until], "for the very time that is asked for");
});

for (const condition of ["refuses", "silent"]) {
  test(`a SignalR service that ${condition === "silent" ? "is silent" : condition} fails no act`, async () => {
    const host = await startHost({ partitions: 1, env: LIMITS });
    const [alert] = await openAlerts(host, ["freezer-1"], 5);
    await host.setFaults({ signalR: { condition } });
    const body = { alertIds: [alert.alertId], by: "anna" };
    const { results } = await act(host, "/api/alerts/acknowledge", body);
    assert.equal(results[0].result, "acknowledged");
    const { mute } = await act(host, "/api/mutes", { devices: "freezer-1", minutes: 5, reason: "x" });
    await act(host, "/api/mutes/end", { muteId: mute.muteId });
    const stored = await Promise.all(["acknowledgement", "mute", "unmute"].map((type) => documentsOf(host, type)));
    assert.deepEqual(stored.map(({ length }) => length), [1, 1, 1]);
    // What tells the others fails, or hangs for the host's hundred seconds, and the page waits for neither.
    const announced = post(host, "/api/acts/announce", {});
    if (condition === "refuses") {
      assert.equal((await announced).status, 500);
    } else {
      announced.catch(() => {});
    }
    assert.equal((await act(host, "/api/alerts/acknowledge", body)).results[0].result, "unchanged");
    await host.setFaults({});
  });
}

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
