/** Mail about alerts, through a real mail server: once each, whoever fails or ends at whatever moment. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { poll, temporaryFolder } from "../harness.mjs";
import { STOPS, startMailServer } from "../mail_server.mjs";
import { age, notificationsOf, startAccount, startSender, storeStep } from "../senders.mjs";

/** News wait until it was quiet for so long; the account's clock counts whole seconds. */
const QUIET_MS = 32_000;
/** A claim that is older was left behind. */
const STALE_MS = 6 * 60_000;
/** Longer than the client of the account tries by itself. */
const OUTAGE_MS = 8000;
const ANNA = "anna@example.com";

test("a handler killed at any moment: every letter arrives, twice only between sending and marking", async () => {
  const cases = STOPS.map(async (stop) => {
    const [host, server] = await Promise.all([startAccount(), startMailServer()]);
    const env = { SMTP_URL: server.url };
    const sender = await startSender(host, env);
    await storeStep(host);
    await pause(QUIET_MS);
    server.stopAt(stop);
    const call = sender.fire();
    await poll(`the handler at ${stop}`, () => server.isReached);
    await sender.kill();
    assert.equal(await call, null);
    const nBefore = server.letters.length;
    server.forget();
    assert.deepEqual((await notificationsOf(host)).map(({ state }) => state), ["claimed"], stop);

    const other = await startSender(host, env);
    assert.equal(await other.fire(), 200);
    assert.equal(server.letters.length, nBefore, `${stop}: the claim may still be somebody's`);
    await age(host, STALE_MS);
    assert.equal(await other.fire(), 200);
    assert.equal(await other.fire(), 200);
    const ids = server.of(ANNA).map(({ messageId }) => messageId);
    assert.equal(ids.length, stop === "answer" ? 2 : 1, stop);
    assert.equal(new Set(ids).size, 1, `${stop}: a repeat is known by its name`);
    const [{ state, attempts, deliveries }] = await notificationsOf(host);
    assert.deepEqual([state, attempts, deliveries[0].outcome], ["done", 2, "sent"]);
    await Promise.all([other.kill(), host.kill()]);
  });
  await Promise.all(cases);
});

test("what was sent is marked although storage was away just then", async () => {
  const [host, server] = await Promise.all([startAccount(), startMailServer()]);
  const sender = await startSender(host, { SMTP_URL: server.url });
  await storeStep(host);
  await pause(QUIET_MS);
  server.stopAt("answer");
  const call = sender.fire();
  await poll("the letter to be taken", () => server.isReached);
  await host.setFaults({ cosmos: { condition: "refuses" } });
  server.goOn();
  await pause(OUTAGE_MS);
  await host.setFaults({});
  assert.equal(await call, 200);
  await age(host, STALE_MS);
  assert.equal(await sender.fire(), 200);
  assert.equal(server.letters.length, 1);
  assert.deepEqual((await notificationsOf(host)).map(({ state, attempts }) => [state, attempts]), [["done", 1]]);
  await Promise.all([sender.kill(), host.kill()]);
});

test("five handlers whose timers fire at once send one letter", async () => {
  const [host, server] = await Promise.all([startAccount(), startMailServer()]);
  const senders = await Promise.all(Array.from({ length: 5 }, () => startSender(host, { SMTP_URL: server.url })));
  const opened = await storeStep(host);
  await pause(QUIET_MS);
  for (let round = 0; round < 3; round += 1) {
    const statuses = await Promise.all(senders.map((sender) => sender.fire()));
    assert.deepEqual(statuses, [200, 200, 200, 200, 200]);
  }
  assert.equal(server.letters.length, 1);

  // The same document written again, as a repeated batch does, is no news; its end is.
  await storeStep(host, opened);
  await storeStep(host, { ...opened, step: "closed" });
  await pause(QUIET_MS);
  await Promise.all(senders.map((sender) => sender.fire()));
  assert.deepEqual(server.letters.map(({ text }) => /^Subject: (.*)$/m.exec(text)[1].trim().slice(0, 9)), [
    opened.deviceId.slice(0, 9),
    "Recovered",
  ]);
  await Promise.all([...senders.map((sender) => sender.kill()), host.kill()]);
});

test("a refused address is noted, the others are served, and a server that was down is tried again", async () => {
  const refuses = ["gone@example.com"];
  const [host, server] = await Promise.all([startAccount(), startMailServer({ refuses })]);
  const sender = await startSender(host, {
    SMTP_URL: server.url,
    MAIL_TO: `${ANNA}, gone@example.com`,
    MAIL_TO_CRITICAL: "carla@example.com",
  });
  await storeStep(host);
  await pause(QUIET_MS);
  await server.down();
  assert.equal(await sender.fire(), 200);
  const [waiting] = await notificationsOf(host);
  assert.equal(waiting.state, "waiting");
  assert.match(waiting.deliveries[0].reason, /refused/i);

  // What happens meanwhile waits for the server, too.
  await storeStep(host, { severity: "warning" });
  await pause(QUIET_MS);
  assert.equal(await sender.fire(), 200);
  assert.equal((await notificationsOf(host)).length, 1);

  await server.up();
  await age(host, STALE_MS);
  assert.equal(await sender.fire(), 200);
  assert.equal(await sender.fire(), 200);
  const outcomes = (await notificationsOf(host)).map(({ state, deliveries }) => [
    state,
    ...deliveries.map(({ to, outcome }) => `${to} ${outcome}`),
  ]);
  assert.deepEqual(outcomes.sort(), [
    ["done", `${ANNA} sent`, "gone@example.com refused"],
    ["done", `${ANNA} sent`, "gone@example.com refused", "carla@example.com sent"],
  ]);
  assert.deepEqual(server.letters.map(({ to }) => to).sort(), [ANNA, ANNA, "carla@example.com"]);
  await Promise.all([sender.kill(), host.kill()]);
});

const certificates = await testAuthority();

for (const security of ["starttls", "tls"]) {
  test(`${security}: a letter arrives, and nothing with a wrong password or an unknown authority`, { skip: certificates === null && "openssl is not installed" }, async () => {
    const { key, cert, authority } = certificates;
    const [host, server] = await Promise.all([startAccount(), startMailServer({ security, key, cert, password: "p@ss word" })]);
    const right = { SMTP_URL: server.url, SMTP_CA_FILE: authority };
    await storeStep(host);
    await pause(QUIET_MS);
    for (const [wrong, reason] of [
      [{ ...right, SMTP_URL: server.url.replace("p%40ss", "other") }, /535|credentials|password/i],
      [{ ...right, SMTP_CA_FILE: "" }, /certificate|issuer/i],
    ]) {
      const sender = await startSender(host, wrong);
      assert.equal(await sender.fire(), 200);
      const [{ state, deliveries }] = await notificationsOf(host);
      assert.deepEqual([state, deliveries[0].outcome], ["waiting", "pending"]);
      assert.match(deliveries[0].reason, reason);
      assert.ok(!deliveries[0].reason.includes("p@ss"));
      await age(host, STALE_MS);
      await sender.kill();
    }
    const sender = await startSender(host, right);
    assert.equal(await sender.fire(), 200);
    assert.equal(server.of(ANNA).length, 1);
    await Promise.all([sender.kill(), host.kill()]);
  });
}

/** A certificate for this machine and the authority that signed it; null where openssl is not installed. */
async function testAuthority() {
  const folder = await temporaryFolder();
  const openssl = (...parts) => execFileSync("openssl", parts, { cwd: folder, stdio: "ignore" });
  try {
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    openssl("req", "-x509", ...curve, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test authority");
    openssl("req", ...curve.slice(0, 5), "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost");
    openssl("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-copy_extensions", "copy", "-out", "cert.pem");
  } catch (error) {
    console.log(`without openssl: ${error.message}`);
    return null;
  }
  const read = (name) => readFileSync(join(folder, name), "utf8");
  return { key: read("key.pem"), cert: read("cert.pem"), authority: join(folder, "ca.pem") };
}
