/** The original rule on the original's device: every injected anomaly is flagged, and nothing else. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { storedReadings } from "../documents.mjs";
import { poll, simulate, startHost, temporaryFolder } from "../harness.mjs";

const DEVICES = 4;
const READINGS = DEVICES * 24 * 60;

test("policy fixed flags what the simulator injected, and nothing else", async (t) => {
  const host = await startHost({ env: { DETECTION_POLICY: "fixed", FIXED_THRESHOLD: "0.01" } });
  const labels = join(await temporaryFolder(), "labels.csv");
  await simulate(host, [
    ...["--profile", "classic", "--devices", DEVICES, "--history", "1d", "--interval", "60s"],
    ...["--duration", "0", "--labels", labels],
  ]);
  const stored = await poll("all readings to be stored", async () => {
    const readings = await storedReadings(host);
    return readings.length >= READINGS && readings;
  });
  assert.equal(stored.length, READINGS);

  const injected = injectedReadings(await readFile(labels, "utf8"));
  assert.ok(injected.length > 10, `only ${injected.length} anomalies were injected`);
  const flagged = stored
    .filter(({ anomaly }) => anomaly)
    .map(({ deviceId, timestamp }) => `${deviceId} ${timestamp}`);
  assert.deepEqual(flagged.sort(), injected.sort());
  t.diagnostic(`${injected.length} anomalies in ${stored.length} readings`);

  const summary = await host.json("/api/summary");
  assert.equal(summary.policy, "fixed");
  assert.equal(summary.fixedThreshold, 0.01);
});

/** Faults of this profile are spikes of one reading. */
function injectedReadings(csv) {
  const [head, ...lines] = csv.trimEnd().split(/\r?\n/);
  assert.equal(head, "device_id,fault,alert,magnitude,start,end");
  return lines.map((line) => {
    const [deviceId, fault, , , start, end] = line.split(",");
    assert.equal(fault, "spike");
    assert.equal(start, end);
    return `${deviceId} ${Date.parse(start)}`;
  });
}
