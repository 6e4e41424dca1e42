/**
 * A real recording, where there is one: the machine of the Numenta Anomaly Benchmark, which failed in
 * February 2014.
 *
 * `SERIES_DIR` names the folder with `labels.json` and the series; without it the test is skipped.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { storedReadings } from "../documents.mjs";
import { poll, simulate, startHost } from "../harness.mjs";

const DEVICE = "machine_temperature_system_failure";
const SERIES = `realKnownCause/${DEVICE}.csv`;
/** Some instant inside the window labelled for the failure. */
const FAILURE = Date.UTC(2014, 1, 8, 12);

test("the failure of February 2014 is stored as anomalies", async (t) => {
  const folder = process.env.SERIES_DIR;
  if (!folder || !existsSync(join(folder, SERIES))) {
    t.skip(`SERIES_DIR holds no ${SERIES}`);
    return;
  }
  const windows = await labelledWindows(folder);
  const failure = windows.find((window) => isIn(window, FAILURE));
  assert.ok(failure, "no window is labelled for the failure");
  const times = timesIn(await readFile(join(folder, SERIES), "utf8"));
  const host = await startHost();
  await simulate(host, ["--replay", join(folder, SERIES), "--unit", "fahrenheit", "--speed", "max"]);

  const stored = await poll("the whole recording to be stored", async () => {
    const readings = await storedReadings(host);
    return readings.length >= times.size && readings;
  });
  assert.equal(stored.length, times.size);
  assert.ok(stored.every(({ deviceId, timestamp }) => deviceId === DEVICE && times.has(timestamp)));
  const anomalies = stored.filter(({ anomaly }) => anomaly);
  const inFailure = anomalies.filter(({ timestamp }) => isIn(failure, timestamp));
  const elsewhere = anomalies.filter(({ timestamp }) => !windows.some((window) => isIn(window, timestamp)));
  t.diagnostic(
    `${inFailure.length} anomalies in the failure's window, ${elsewhere.length} outside all windows`,
  );
  t.diagnostic(`${anomalies.length} anomalies in ${stored.length} readings`);
  assert.ok(inFailure.length > 0, "the failure was not noticed");
  assert.ok(elsewhere.length < stored.length / 10, "anomalies are not rare");

  const span = failure.map((ms, n) => `${["from", "to"][n]}=${new Date(ms).toISOString()}`).join("&");
  const { readings } = await host.json(`/api/devices/${DEVICE}/readings?${span}`);
  assert.equal(readings.filter(({ anomaly }) => anomaly).length, inFailure.length);
});

async function labelledWindows(folder) {
  const labels = JSON.parse(await readFile(join(folder, "labels.json"), "utf8"));
  return labels[SERIES].map((ends) => ends.map(utc));
}

function isIn([from, to], timestamp) {
  return from <= timestamp && timestamp <= to;
}

/** All times in the recording; a reading with a time that was there before is a duplicate. */
function timesIn(csv) {
  const lines = csv.trimEnd().split(/\r?\n/).slice(1);
  return new Set(lines.map((line) => utc(line.split(",")[0])));
}

function utc(text) {
  return Date.parse(`${text.slice(0, 19).replace(" ", "T")}Z`);
}
