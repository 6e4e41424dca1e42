/** The digest of a fleet's day: one a day, small, with pictures, and shown where nothing is sent. */
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { poll, simulate, startHost, temporaryFolder } from "../harness.mjs";
import { workedOff } from "../load.mjs";

const MOST_BYTES = 200 * 1024;
const HOUR_MS = 3_600_000;

test("a week's fleet has one digest, below 200 KB, and it is shown as a page", async () => {
  const outbox = process.env.OUTBOX || (await temporaryFolder());
  // Due since an hour ago, in a zone that is not the machine's.
  const at = new Date(Date.now() - HOUR_MS + 5.5 * HOUR_MS).toISOString().slice(11, 16);
  const host = await startHost({
    partitions: 2,
    env: {
      MAIL_TO: "anna@example.com, berta@example.com",
      OUTBOX: outbox,
      DASHBOARD_URL: "http://127.0.0.1:7071",
      DIGEST_AT: at,
      DIGEST_TIME_ZONE: "Asia/Kolkata",
    },
  });
  await simulate(host, ["--devices", 40, "--interval", "5m", "--history", "7d", "--duration", 0, "--fault-rate", "0.5", "--readings-per-message", 100]);
  await poll("all readings to be scored", async () => (await workedOff(host)).waiting === 0, 300_000);
  const fire = async () => {
    const headers = { "content-type": "application/json" };
    const response = await host.post("/admin/functions/send_digest", '{"input":""}', headers);
    assert.equal(response.status, 202);
  };
  await Promise.all([fire(), fire(), fire()]);
  await poll("the digest", async () => (await letters(outbox)).length >= 2);
  await fire();
  const names = await letters(outbox);
  assert.equal(names.length, 2, "one for each");
  const text = await readFile(join(outbox, names[0]), "utf8");
  assert.ok(text.length < MOST_BYTES, `${text.length} bytes`);
  assert.match(text, /^Subject: Digest: /m);
  assert.match(text, /Content-Type: image\/png/);
  assert.doesNotMatch(text, /Not in this digest/);
  const list = await (await host.get("/local-host/outbox")).text();
  assert.ok(list.includes(names[0]) && list.includes("Digest: "));
  const page = await host.get(`/local-host/outbox/${names[0]}`);
  assert.match(page.headers.get("content-security-policy"), /default-src 'none'/);
  assert.match(await page.text(), /<iframe sandbox=""/);
  assert.equal((await host.get("/local-host/outbox/..%2Fx.eml")).status, 404);
});

const letters = async (folder) => (await readdir(folder)).filter((name) => name.includes("digest") && name.endsWith(".eml"));
