/** Everything that can go wrong between host and handler: nothing is lost, and nothing counts twice. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertStored } from "../documents.mjs";
import { poll, startHost } from "../harness.mjs";

const START = Date.UTC(2026, 0, 2);
const DEVICES = 8;
/** Documents of one answer are few. */
const BYTE = 200;

const KILLS = [
  { call: { killAtRequestByte: BYTE } },
  { call: { killAtAnswerByte: 0 } },
  { call: { killAtAnswerByte: BYTE } },
  { call: { killAtAnswerByte: 1e9 } },
  { call: { killAfterUpserts: 1 } },
  { kill: { instance: 0 } },
];

const UPSERTS = [
  { upsert: { nth: 1, outcome: { fail: 503 } } },
  { upsert: { nth: 2, outcome: "loseReply" } },
  { upsert: { nth: 1, outcome: { delayMs: 300 } } },
  { call: { abandon: { afterUpserts: 1, laterMs: 500 } } },
];

const BATCHES = [
  { batch: { does: "repeat" } },
  { batch: { does: { recut: { skip: 0, size: 1 } } } },
  { batch: { does: { recut: { skip: 1, size: 2 } } } },
  { batch: { does: { goBack: 20 } } },
  { batch: { does: "loseAnswer" } },
  { batch: { does: "twice" } },
];

for (const [what, faults] of Object.entries({ KILLS, UPSERTS, BATCHES })) {
  test(`${what.toLowerCase()}: every reading is stored and counts once`, async () => {
    const host = await startHost({ partitions: 1 });
    const sent = [];
    for (const [round, fault] of faults.entries()) {
      await host.addFault(fault);
      sent.push(...(await send(host, round)));
      await poll(`the fault ${JSON.stringify(fault)}`, async () => (await waiting(host)) === 0);
    }
    await assertStored(host, sent);
    host.program.mustRun();
  });
}

test("a partition moves between two handlers while readings come", async () => {
  const host = await startHost({ partitions: 2, arguments: ["--instances", "2"] });
  assert.equal((await host.handlerPids()).length, 2);
  const sent = [];
  for (const [round, to] of [1, 0, 1, 0].entries()) {
    const sending = send(host, round);
    await host.addFault({ move: { partition: 0, to } });
    sent.push(...(await sending));
  }
  await assertStored(host, sent);
});

test("throttling and a handler killed again and again are outlived", async () => {
  const host = await startHost({ partitions: 2 });
  await host.setFaults({ killEveryMs: 300, cosmos: { throttle: { share: 0.2, seed: 5 } } });
  const sent = [];
  const handlers = new Set();
  for (let round = 0; handlers.size < 6; round += 1) {
    sent.push(...(await send(host, round)));
    for (const pid of await host.handlerPids()) {
      handlers.add(pid);
    }
  }
  await host.setFaults({});
  await assertStored(host, sent);
});

async function waiting(host) {
  return (await host.json("/local-host/faults")).waiting.length;
}

/** One message of every device, each with two readings. */
async function send(host, round) {
  const sent = [];
  await Promise.all(
    Array.from({ length: DEVICES }, async (_, n) => {
      const readings = [0, 1].map((k) => ({
        deviceId: `device-${n}`,
        timestamp: START + (round * 2 + k) * 60_000,
        temperature: 20 + n + k / 10,
      }));
      await host.sendOk(
        `device-${n}`,
        readings.map(({ timestamp, temperature }) => ({ timestamp, temperature })),
      );
      sent.push(...readings);
    }),
  );
  return sent;
}
