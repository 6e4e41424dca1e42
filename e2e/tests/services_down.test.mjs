/** Services that are down, as the real host shows them: what was sent is stored once they are back, once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertStored } from "../documents.mjs";
import { poll, startHost } from "../harness.mjs";

const START = Date.UTC(2026, 0, 2);
/** The handler's own deadline follows it. */
const SHORT_TIMEOUT = { AzureFunctionsJobHost__functionTimeout: "00:00:05" };

test("while Cosmos DB is away the handler says so, and everything lands once when it is back", async () => {
  const host = await startHost({ partitions: 1, env: SHORT_TIMEOUT });
  // The binding's client hangs only once it has worked.
  const sent = [await send(host, 0)];
  await assertStored(host, sent);
  const [first] = await host.handlerPids();

  await host.setFaults({ cosmos: { condition: "refuses" } });
  sent.push(await send(host, 1));
  await assert.rejects(fetch(host.cosmosEndpoint));
  await poll("a batch that fails", () => host.program.output.includes("cannot be read"));
  // What was answered last cannot be read back, so nothing is answered that the binding could hang on.
  assert.deepEqual(await host.handlerPids(), [first]);

  await host.setFaults({});
  await assertStored(host, sent);
  sent.push(await send(host, 2));
  await assertStored(host, sent);
  host.program.mustRun();
});

test("a SignalR service that refuses does not keep documents from being written", async () => {
  const host = await startHost({ partitions: 1, env: SHORT_TIMEOUT });
  await host.setFaults({ signalR: { condition: "refuses" } });
  const sent = [];
  for (let n = 0; n < 5; n += 1) {
    sent.push(await send(host, n));
    await assertStored(host, sent);
  }
  const [handler] = await host.handlerPids();
  assert.ok(handler, "the handler is still there");
  await host.setFaults({});
  sent.push(await send(host, 5));
  await assertStored(host, sent);
});

async function send(host, n) {
  const reading = { deviceId: "device-0", timestamp: START + n * 60_000, temperature: 20 + n / 10 };
  await host.sendOk("device-0", { timestamp: reading.timestamp, temperature: reading.temperature });
  return reading;
}
