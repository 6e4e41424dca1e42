/** The HTTP API against its description in `docs/api.md`. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { poll, startHost } from "../harness.mjs";

const START = Date.UTC(2026, 0, 2);
const MINUTE_MS = 60_000;
const DEVICES = ["alpha", "beta", "gamma"];
/** Past the first full window, so that scores exist. */
const READINGS = 40;
const NEWEST = START + (READINGS - 1) * MINUTE_MS;

describe("the HTTP API", () => {
  let host;

  before(async () => {
    host = await startHost();
    for (const [n, deviceId] of DEVICES.entries()) {
      await host.sendOk(
        deviceId,
        Array.from({ length: READINGS }, (_, step) => reading(n, step)),
      );
    }
    await poll("all readings to be stored", async () => {
      const { devices } = await host.json("/api/devices");
      return devices.length === DEVICES.length && devices.every(({ timestamp }) => timestamp === NEWEST);
    });
  });

  test("lists devices", async () => {
    const { devices, next } = await host.json("/api/devices");
    assert.equal(next, null);
    assert.deepEqual(
      devices.map(({ deviceId }) => deviceId),
      DEVICES,
    );
    for (const [n, row] of devices.entries()) {
      const { expected, error, score, ...rest } = row;
      assert.deepEqual(rest, {
        deviceId: DEVICES[n],
        status: "learning",
        learning: true,
        timestamp: NEWEST,
        temperature: reading(n, READINGS - 1).temperature,
        anomaly: false,
        lastAnomalyAt: null,
        alert: null,
      });
      assert.ok(Number.isFinite(expected) && error >= 0 && score >= 0, JSON.stringify(row));
    }
  });

  test("pages and filters devices", async () => {
    const first = await host.json("/api/devices?limit=2");
    assert.deepEqual(
      first.devices.map(({ deviceId }) => deviceId),
      ["alpha", "beta"],
    );
    assert.equal(first.next, "beta");
    const second = await host.json(`/api/devices?limit=2&after=${first.next}`);
    assert.deepEqual(
      second.devices.map(({ deviceId }) => deviceId),
      ["gamma"],
    );
    assert.equal(second.next, null);
    const prefixed = await host.json("/api/devices?prefix=be");
    assert.deepEqual(
      prefixed.devices.map(({ deviceId }) => deviceId),
      ["beta"],
    );
    assert.equal((await host.json("/api/devices?status=learning")).devices.length, DEVICES.length);
    assert.deepEqual((await host.json("/api/devices?status=anomaly")).devices, []);
  });

  test("answers a device's readings of a span, both ends included", async () => {
    const [from, to] = [START + 30 * MINUTE_MS, START + 35 * MINUTE_MS];
    const byNumber = await host.json(`/api/devices/beta/readings?from=${from}&to=${to}`);
    const { readings, ...rest } = byNumber;
    assert.deepEqual(rest, { deviceId: "beta", from, to, truncated: false });
    assert.deepEqual(
      readings.map(({ timestamp, temperature }) => ({ timestamp, temperature })),
      [30, 31, 32, 33, 34, 35].map((step) => reading(1, step)),
    );
    // What is expected needs a full window of 32 readings.
    assert.deepEqual(Object.keys(readings[0]).sort(), [
      "anomaly",
      "error",
      "expected",
      "score",
      "temperature",
      "timestamp",
    ]);
    assert.deepEqual(
      readings.map(({ expected, score }) => [expected === null, score === null]),
      [true, false, false, false, false, false].map((isFilling) => [isFilling, false]),
    );
    const texts = [from, to].map((ms) => encodeURIComponent(new Date(ms).toISOString()));
    const byText = await host.json(`/api/devices/beta/readings?from=${texts[0]}&to=${texts[1]}`);
    assert.deepEqual(byText, byNumber);
  });

  test("keeps the newest readings when there are more than asked for", async () => {
    const { readings, truncated, to } = await host.json("/api/devices/beta/readings?limit=3");
    assert.equal(truncated, true);
    assert.equal(to, NEWEST);
    assert.deepEqual(
      readings.map(({ timestamp }) => timestamp),
      [2, 1, 0].map((back) => NEWEST - back * MINUTE_MS),
    );
  });

  test("answers readings as CSV", async () => {
    const asked = await host.get("/api/devices/alpha/readings?format=csv");
    assert.equal(asked.status, 200);
    assert.match(asked.headers.get("content-type"), /^text\/csv/);
    const text = await asked.text();
    const [head, ...lines] = text.trimEnd().split(/\r?\n/);
    assert.equal(head, "timestamp,temperature,expected,error,score,anomaly");
    const { readings } = await host.json("/api/devices/alpha/readings");
    assert.equal(readings.length, READINGS);
    assert.deepEqual(lines.map(parseCsvLine), readings);
    const accepted = await host.get("/api/devices/alpha/readings", { accept: "text/csv" });
    assert.equal(await accepted.text(), text);
  });

  test("summarizes the fleet", async () => {
    const { model, ...rest } = await host.json("/api/summary");
    assert.deepEqual(rest, {
      devices: { total: DEVICES.length, normal: 0, anomaly: 0, learning: DEVICES.length },
      newestReadingAt: NEWEST,
      openAlerts: 0,
      unacknowledgedAlerts: 0,
      policy: "calibrated",
      fixedThreshold: null,
    });
    assert.match(model.sha256, /^[0-9a-f]{64}$/);
    assert.equal(model.windowLength, 32);
  });

  test("lists no alert", async () => {
    assert.deepEqual(await host.json("/api/alerts"), { alerts: [], next: null });
    assert.deepEqual(await host.json("/api/alerts?state=all&deviceId=alpha&from=0&to=1&limit=5"), {
      alerts: [],
      next: null,
    });
  });

  for (const [path, parameter] of [
    ["/api/devices?status=broken", "status"],
    ["/api/devices?limit=0", "limit"],
    ["/api/devices?limit=10001", "limit"],
    ["/api/devices?limit=many", "limit"],
    ["/api/devices?colour=red", "colour"],
    ["/api/devices/alpha/readings?from=yesterday", "from"],
    ["/api/devices/alpha/readings?to=32.5.2026", "to"],
    ["/api/devices/alpha/readings?from=2000&to=1000", "from"],
    ["/api/devices/alpha/readings?limit=50001", "limit"],
    ["/api/devices/alpha/readings?limit=-1", "limit"],
    ["/api/devices/alpha/readings?format=xml", "format"],
    ["/api/alerts?state=ajar", "state"],
    ["/api/alerts?from=never", "from"],
    ["/api/alerts?to=never", "to"],
    ["/api/alerts?limit=1001", "limit"],
    ["/api/alerts?kind=fire", "kind"],
    ["/api/alerts?severity=mild", "severity"],
    ["/api/alerts?after=there", "after"],
    ["/api/alerts?acknowledged=maybe", "acknowledged"],
    ["/api/mutes?state=ajar", "state"],
    ["/api/mutes?from=never", "from"],
    ["/api/mutes?limit=1001", "limit"],
    ["/api/summary?verbose=1", "verbose"],
  ]) {
    test(`refuses ${path} and names the parameter`, async () => {
      const response = await host.get(path);
      assert.equal(response.status, 400);
      assert.match(response.headers.get("content-type"), /^application\/json/);
      const { error } = await response.json();
      assert.equal(error.parameter, parameter);
      assert.ok(error.message.includes(parameter), error.message);
    });
  }

  test("knows no device that never sent", async () => {
    for (const id of ["nobody", "..%2f..%2fhost.json", "%00", "d'--", "a%20b%22"]) {
      const response = await host.get(`/api/devices/${id}/readings`);
      assert.equal(response.status, 404, id);
      assert.ok((await response.json()).error.message.length > 0);
    }
  });

  test("answers paths that do not exist with 404", async () => {
    for (const path of [
      "/api/nothing",
      "/no-such-page",
      "/..%2fhost.json",
      "/handler",
      "/local.settings.json",
    ]) {
      const response = await host.get(path);
      assert.equal(response.status, 404, path);
      await response.arrayBuffer();
    }
  });
});

/** A gentle wave around a level of the device's own. */
function reading(n, step) {
  const temperature = Math.round((20 + 5 * n + Math.sin(step / 5)) * 100) / 100;
  return { timestamp: START + step * MINUTE_MS, temperature };
}

function parseCsvLine(line) {
  const [timestamp, temperature, expected, error, score, anomaly] = line.split(",");
  const number = (text) => (text === "" ? null : Number(text));
  return {
    timestamp: Date.parse(timestamp),
    temperature: Number(temperature),
    expected: number(expected),
    error: number(error),
    score: number(score),
    anomaly: anomaly === "true",
  };
}
