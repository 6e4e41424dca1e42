/**
 * What is served is what was backtested: the series that `trainer backtest` has judged goes through the staged app.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { assertStored, documentsOf, storedReadings } from "../documents.mjs";
import { poll, startHost } from "../harness.mjs";

/** A test of the trainer holds that this is what `backtest` writes. */
const BACKTESTED = new URL("../../handler/tests/fixtures/backtested.csv", import.meta.url);
const DEVICE = "cellar-1";
/** Readings in one message. */
const PER_MESSAGE = 40;

let host;
before(async () => {
  host = await startHost({ partitions: 1 });
});
after(() => host?.stop());

test("each score, each expected value and each alert of a series is that of the backtest, bit for bit", async () => {
  const rows = (await readFile(BACKTESTED, "utf8")).trim().split("\n").slice(1).map(rowOf);
  for (let from = 0; from < rows.length; from += PER_MESSAGE) {
    const readings = rows.slice(from, from + PER_MESSAGE).map(({ timestamp, temperature }) => ({ timestamp, temperature }));
    const response = await host.send(DEVICE, readings);
    assert.equal(response.status, 204);
  }
  await assertStored(
    host,
    rows.map(({ timestamp, temperature }) => ({ deviceId: DEVICE, timestamp, temperature })),
  );

  const served = (await storedReadings(host)).sort((left, right) => left.timestamp - right.timestamp);
  assert.deepEqual(
    served.map(({ timestamp, expected, score }) => ({ timestamp, expected, score })),
    rows.map(({ timestamp, expected, score }) => ({ timestamp, expected, score })),
  );

  const opened = rows.filter((row) => row.alert !== "");
  assert.ok(opened.length > 1, "the series has alerts");
  const alerts = await poll("all alerts to be listed", async () => {
    const { alerts } = await host.json("/api/alerts?state=all");
    return alerts.length >= opened.length && alerts;
  });
  assert.deepEqual(
    alerts.map(({ openedAt, kind, deviceId }) => ({ openedAt, kind, deviceId })).reverse(),
    opened.map(({ timestamp, alert }) => ({ openedAt: timestamp, kind: alert, deviceId: DEVICE })),
  );
  const documents = await documentsOf(host, "alert");
  const ids = documents.map(({ bucket, id }) => `${bucket} ${id}`);
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(documents.filter(({ step }) => step === "opened").length, opened.length);
});

function rowOf(line) {
  const [timestamp, temperature, expected, score, , alert] = line.split(",");
  const number = (cell) => (cell === "" ? null : Number(cell));
  return {
    timestamp: Date.parse(`${timestamp.replace(" ", "T")}Z`),
    temperature: Number(temperature),
    expected: number(expected),
    score: number(score),
    alert,
  };
}
