/** Notifications as posts: signed, tried again, each once. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { atEnd } from "../harness.mjs";
import { age, notificationsOf, startAccount, startSender, storeStep } from "../senders.mjs";

const QUIET_MS = 32_000;
const STALE_MS = 6 * 60_000;
const SECRET = "between us";

test("a post is signed, tried again under the same id, and refused for good only when it says so", async () => {
  const posts = [];
  const statuses = [503, 204, 400];
  const receiver = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) {
      chunks.push(chunk);
    }
    posts.push({ headers: request.headers, body: Buffer.concat(chunks).toString("utf8") });
    response.writeHead(statuses.shift()).end();
  });
  await new Promise((done) => receiver.listen(0, "127.0.0.1", done));
  atEnd(() => receiver.close());
  const host = await startAccount();
  const sender = await startSender(host, {
    MAIL_TO: "",
    WEBHOOK_URL: `http://127.0.0.1:${receiver.address().port}/hook`,
    WEBHOOK_SECRET: SECRET,
  });
  const step = await storeStep(host);
  await pause(QUIET_MS);
  assert.equal(await sender.fire(), 200);
  assert.equal(await sender.fire(), 200);
  assert.equal(posts.length, 1, "the pause is not over");
  await age(host, STALE_MS);
  assert.equal(await sender.fire(), 200);
  assert.equal(await sender.fire(), 200);
  assert.equal(posts.length, 2);
  assert.deepEqual(posts.map(({ headers }) => headers["x-notification-id"]), ["webhook-alerts-1", "webhook-alerts-1"]);
  assert.equal(posts[0].body, posts[1].body);
  for (const { headers, body } of posts) {
    const timestamp = headers["x-notification-timestamp"];
    const expected = createHmac("sha256", SECRET).update(`${timestamp}.${body}`).digest("hex");
    assert.equal(headers["x-notification-signature"], `v1=${expected}`);
  }
  const { groups, subject } = JSON.parse(posts[0].body);
  assert.equal(subject, `${step.deviceId}: sudden change, critical`);
  assert.deepEqual([groups[0].event, groups[0].worst[0].alertId], ["opened", step.alertId]);

  await storeStep(host);
  await pause(QUIET_MS);
  assert.equal(await sender.fire(), 200);
  const refused = (await notificationsOf(host)).find(({ number }) => number === 2);
  assert.deepEqual([refused.state, refused.deliveries[0].outcome], ["done", "refused"]);
  await Promise.all([sender.kill(), host.kill()]);
});
