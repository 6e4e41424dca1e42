/** A thousand devices that fail within a minute: one letter, and one when they recover, through the whole system. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { documentsOf } from "../documents.mjs";
import { poll, startHost } from "../harness.mjs";
import { sendEvents } from "../load.mjs";
import { startMailServer, subjectsOf } from "../mail_server.mjs";

const N_DEVICES = 1000;
const PER_POST = 50;
const HOUR_MS = 3_600_000;
/** Half a minute of quiet, a look a minute, two minutes at most; and a machine that is busy. */
const PATIENCE_MS = 180_000;

test("a thousand devices that fail together are one letter, and one when they recover", async () => {
  const server = await startMailServer();
  const host = await startHost({
    partitions: 2,
    env: {
      LIMITS: "freezer-*=..-15",
      MAIL_TO: "anna@example.com",
      MAIL_FROM: "Temperatures <alerts@example.com>",
      SMTP_URL: server.url,
      DASHBOARD_URL: "http://127.0.0.1:7071",
    },
  });
  const start = Date.now() - 8 * HOUR_MS;
  const all = async (timestamp, temperature) => {
    const devices = Array.from({ length: N_DEVICES }, (_, n) => `freezer-${n + 1}`);
    for (let n = 0; n < N_DEVICES; n += PER_POST) {
      const some = devices.slice(n, n + PER_POST);
      await sendEvents(host, some.map((deviceId) => ({ deviceId, timestamp, temperature })));
    }
  };
  await all(start, -18);
  await all(start + 60_000, -8);
  const opened = await steps(host, "opened");
  assert.equal(opened.length, N_DEVICES);
  await poll("the letter", () => server.letters.length > 0, PATIENCE_MS);
  for (const hours of [1, 3, 5, 7]) {
    await all(start + hours * HOUR_MS, -18);
  }
  await steps(host, "closed");
  await poll("the second letter", () => server.letters.length > 1, PATIENCE_MS);
  assert.deepEqual(
    subjectsOf(server),
    [
      "1,000 devices of freezer-*: outside the limit, critical",
      "Recovered: 1,000 devices of freezer-*: outside the limit",
    ],
  );
});

/** Steps of limits, when every device has taken it. */
function steps(host, step) {
  return poll(`all alerts to be ${step}`, async () => {
    const documents = await documentsOf(host, "alert");
    const taken = documents.filter((document) => document.step === step && document.kind === "limit");
    return taken.length >= N_DEVICES && taken;
  });
}
