/** Alerts of a limit that a person has set: opened in time, shown wherever a person looks, announced live, closed after calm. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HubConnectionBuilder, LogLevel } from "@microsoft/signalr";
import { documentsOf } from "../documents.mjs";
import { atEnd, poll, startHost } from "../harness.mjs";

const START = Date.UTC(2026, 0, 2);
const MINUTE_MS = 60_000;

test("a fridge that is too warm for a quarter of an hour has one alert, until it was calm for hours", async () => {
  const host = await startHost({ partitions: 1, env: { LIMITS: "fridge-*=2..8/15; *=..60" } });
  const { opened, closed } = await listen(host);
  const send = (device, minute, temperature) =>
    host.sendOk(device, { temperature, timestamp: START + minute * MINUTE_MS });

  for (let minute = 0; minute <= 24; minute += 1) {
    await send("fridge-1", minute, minute < 10 ? 5 : 9.5);
    await send("shelf-1", minute, 9.5);
  }
  assert.deepEqual((await alertsOf(host)).alerts, [], "outside for 14 minutes");

  await send("fridge-1", 25, 9.5);
  const { alerts } = await poll("the alert", async () => {
    const page = await alertsOf(host);
    return page.alerts.length > 0 && page;
  });
  assert.equal(alerts.length, 1);
  const [alert] = alerts;
  assert.deepEqual(
    [alert.deviceId, alert.kind, alert.channel, alert.severity, alert.state, alert.temperature, alert.openedAt],
    ["fridge-1", "limit", "limit", "critical", "open", 9.5, START + 25 * MINUTE_MS],
  );
  assert.deepEqual(alert.readings.at(-1), [alert.openedAt, 9.5]);
  // The fleet is read every other second, however many ask.
  const devices = await poll("the alert beside its device", async () => {
    const { devices } = await host.json("/api/devices");
    return devices.some(({ alert }) => alert !== null) && devices;
  });
  assert.equal(devices.find(({ deviceId }) => deviceId === "fridge-1").alert.alertId, alert.alertId);
  assert.equal(devices.find(({ deviceId }) => deviceId === "shelf-1").alert, null);
  assert.equal((await host.json("/api/summary")).openAlerts, 1);

  for (const hours of [1, 3, 5]) {
    await send("fridge-1", 25 + hours * 60, 5);
  }
  const [ended] = await poll("the end of the alert", async () => {
    const page = await alertsOf(host, "state=closed");
    return page.alerts.length > 0 && page.alerts;
  });
  assert.deepEqual([ended.alertId, ended.state], [alert.alertId, "closed"]);
  await poll("no open alert", async () => (await host.json("/api/summary")).openAlerts === 0);
  const steps = (await documentsOf(host, "alert")).map(({ step }) => step);
  assert.deepEqual(steps.sort(), ["closed", "opened"]);

  // Messages come at most once a second, with what has gathered since.
  let minute = 400;
  await poll("live news of both", async () => {
    if (closed.length === 0) {
      await send("shelf-1", (minute += 1), 9.5);
    }
    return opened.length > 0 && closed.length > 0;
  });
  assert.deepEqual(
    [opened, closed].map((list) => list.map(({ alertId, deviceId }) => [alertId, deviceId])),
    [[[alert.alertId, "fridge-1"]], [[alert.alertId, "fridge-1"]]],
  );
});

const alertsOf = (host, query = "") => host.json(`/api/alerts?kind=limit&${query}`);

/** Gathers what live messages tell of alerts of limits. */
async function listen(host) {
  const told = { opened: [], closed: [] };
  const connection = new HubConnectionBuilder().withUrl(`${host.url}/api`).configureLogging(LogLevel.None).build();
  const ofLimits = (alerts) => alerts.filter(({ kind }) => kind === "limit");
  connection.on("update", ({ alerts }) => {
    told.opened.push(...ofLimits(alerts.opened));
    told.closed.push(...ofLimits(alerts.closed));
  });
  atEnd(() => connection.stop());
  await connection.start();
  return told;
}
