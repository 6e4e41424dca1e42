/** Blob storage beside the local host: it is there for snapshots, can be down, and ends with the local host. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { azuriteArguments, isAlive, poll, startHost } from "../harness.mjs";

const azurite = azuriteArguments();
const skip = azurite.length === 0 && "Azurite is not installed: run npm ci in tools/local-host";

test("the handler finds a container that it can write, list and read", { skip }, async () => {
  const host = await startHost({ arguments: azurite });
  const container = await containerOf(host);
  assert.equal(new URL(container).hostname, "127.0.0.1");
  const blob = container.replace("?", "/a%2Fsnapshot?");
  const headers = { "x-ms-blob-type": "BlockBlob", "x-ms-version": "2021-12-02" };
  assert.equal((await fetch(blob, { method: "PUT", headers, body: "state" })).status, 201);
  assert.equal(await (await fetch(blob)).text(), "state");
  const list = await fetch(`${container}&restype=container&comp=list`);
  assert.match(await list.text(), /<Name>a\/snapshot<\/Name>/);

  await host.setFaults({ blob: { condition: "refuses" } });
  await assert.rejects(fetch(blob));
  await host.setFaults({});
  assert.equal(await (await fetch(blob)).text(), "state");

  // What is stored outlives the local host.
  await host.stop();
  assert.equal(host.program.code, 0, host.program.output);
  const next = await startHost({ arguments: azurite, data: host.data });
  const again = (await containerOf(next)).replace("?", "/a%2Fsnapshot?");
  assert.equal(await (await fetch(again)).text(), "state");
});

test("no Azurite outlives a local host that is killed", { skip }, async () => {
  const host = await startHost({ arguments: azurite });
  const pids = await host.handlerPids();
  assert.equal(pids.length, 2, "the handler and Azurite");
  await host.kill();
  for (const pid of pids) {
    await poll(`the end of process ${pid}`, async () => !(await isAlive(pid)));
  }
});

test("without Azurite there are no snapshots, and the log says so", async () => {
  const host = await startHost();
  assert.match(host.program.output, /snapshots are off/);
});

/** The container's address, as the handler's environment has it. */
async function containerOf(host) {
  for (const pid of await host.handlerPids()) {
    const environment = (await readFile(`/proc/${pid}/environ`, "utf8")).split("\0");
    const setting = environment.find((line) => line.startsWith("SNAPSHOT_CONTAINER_URL="));
    if (setting) {
      return setting.slice("SNAPSHOT_CONTAINER_URL=".length);
    }
  }
  throw new Error("no process has the setting");
}
