/** The page in a browser: a fleet past learning, a spike that shows up live, its chart, and the key. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { openBrowser, openPage } from "../browser.mjs";
import { poll, simulate, startHost, temporaryFolder } from "../harness.mjs";

const DEVICES = 5;
const MINUTE_MS = 60_000;
/** Degrees by which the spike stands out. */
const SPIKE = 30;
const ANOMALOUS = 'tr[data-index][data-attention="anomaly"]';

describe("the page", () => {
  let host;
  let browser;
  let folder;

  before(async () => {
    [host, browser, folder] = await Promise.all([startHost(), openBrowser(), temporaryFolder()]);
    await simulate(host, [
      ...["--devices", DEVICES, "--history", "3d", "--interval", "60s", "--duration", "0"],
      ...["--fault-rate", "0"],
    ]);
    await poll("the fleet to be past learning", async () => {
      const { devices } = await host.json("/api/summary");
      return devices.total === DEVICES && devices.learning === 0;
    });
  });

  test("shows a spike as an anomaly, live and without a reload", async (t) => {
    const { page, complaints, frames } = await openPage(browser, host.url);
    await page.evaluate(() => {
      window.wasLoadedOnce = true;
    });
    await poll(
      "all devices in the table",
      async () => (await page.locator("tr[data-index]").count()) === DEVICES,
    );

    const calm = await calmDevice(host);
    await sendNext(host, calm.deviceId, 0);
    await poll("a page that says it is live", async () => {
      await keepSending(host);
      return page.locator('.connection[data-standing="live"]').isVisible();
    });
    assert.equal(await rowOf(page, calm.deviceId).getAttribute("data-attention"), calm.attention);

    await sendNext(host, calm.deviceId, SPIKE);
    await poll("the live message that brings it", async () => {
      await keepSending(host);
      return frames.some((text) => announces(text, calm.deviceId));
    });
    const row = page.locator(ANOMALOUS, { hasText: calm.deviceId });
    await row.waitFor();
    assert.match(await row.innerText(), /Anomaly/);
    assert.equal(await page.evaluate(() => window.wasLoadedOnce), true);

    await row.getByRole("link").click();
    const chart = page.locator(".chart canvas").first();
    await chart.waitFor();
    await poll("a drawn chart", () => chart.evaluate(isPainted));
    await page.locator('.readout[data-verdict="anomaly"]').waitFor();
    const shot = join(folder, "page.png");
    await page.screenshot({ path: shot });
    t.diagnostic(`screenshot: ${shot} (kept with E2E_KEEP=1)`);
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  test("works in the dark and on a small screen", async (t) => {
    const options = { colorScheme: "dark", viewport: { width: 400, height: 800 } };
    const { page, complaints } = await openPage(browser, host.url, options);
    await page.locator("tr[data-index]").first().waitFor();
    await page.locator("tr[data-index] a").first().click();
    const chart = page.locator(".chart canvas").first();
    await poll("a drawn chart", () => chart.evaluate(isPainted));
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(overflow <= 0, `${overflow} pixels too wide`);
    const shot = join(folder, "dark.png");
    await page.screenshot({ path: shot });
    t.diagnostic(`screenshot: ${shot} (kept with E2E_KEEP=1)`);
    assert.deepEqual(complaints, []);
    await page.context().close();
  });
});

test("the page asks for the key, says when it is wrong, and opens with the right one", async () => {
  const key = "a-key-for-tests-only";
  const host = await startHost({ env: { API_KEY: key, ALLOW_ANONYMOUS: "false" } });
  await host.sendOk("guarded", { temperature: 21.5, timestamp: Date.now() });
  const browser = await openBrowser();
  const { page, complaints } = await openPage(browser, host.url);
  const dialog = page.locator("dialog.key-dialog");
  await dialog.waitFor();
  assert.equal(await page.locator("tr[data-index]").count(), 0);

  await dialog.locator("input").fill("wrong");
  await dialog.locator("button[type=submit]").click();
  await dialog.getByRole("alert").waitFor();

  await dialog.locator("input").fill(key);
  await dialog.locator("button[type=submit]").click();
  await page.locator("tr[data-index]", { hasText: "guarded" }).waitFor();
  assert.equal(await dialog.count(), 0);
  // The browser itself reports each refusal; nothing else may go wrong.
  assert.deepEqual(
    complaints.filter((text) => !text.includes("401")),
    [],
  );
});

test("text from devices stays text", async () => {
  const host = await startHost();
  const hostile = "<img src=x onerror=alert(1)>";
  // The IoT Hub call refuses such an id, the Event Hubs call leaves it to the body.
  const reading = { deviceId: hostile, temperature: 21.5, timestamp: Date.now() };
  const response = await host.post("/telemetry/messages", JSON.stringify(reading));
  assert.equal(response.status, 201);
  await poll("the device", async () => (await host.json("/api/devices")).devices.length === 1);
  const { page, complaints } = await openPage(await openBrowser(), host.url);
  await page.locator("tr[data-index]", { hasText: hostile }).getByRole("link").click();
  await page.locator("section.device h2", { hasText: hostile }).waitFor();
  assert.equal(await page.locator("img[src=x]").count(), 0);
  assert.deepEqual(complaints, []);
});

/** A device that is normal and was so for a while. */
async function calmDevice(host) {
  const { devices } = await host.json("/api/devices");
  const newest = Math.max(...devices.map(({ timestamp }) => timestamp));
  const calm = devices.find(
    ({ status, lastAnomalyAt }) =>
      status === "normal" && (lastAnomalyAt === null || newest - lastAnomalyAt > 20 * MINUTE_MS),
  );
  assert.ok(calm, "no device is calm");
  return { ...calm, attention: "calm" };
}

/** Sends the device's next reading, `offset` degrees off its newest, and waits until it is stored. */
async function sendNext(host, deviceId, offset) {
  const newestOf = async () =>
    (await host.json("/api/devices")).devices.find((row) => row.deviceId === deviceId);
  const { timestamp, temperature } = await newestOf();
  const reading = { timestamp: timestamp + MINUTE_MS, temperature: temperature + offset };
  await host.sendOk(deviceId, reading);
  await poll("the reading to be stored", async () => (await newestOf()).timestamp === reading.timestamp);
}

/**
 * One more reading of a device that always sends.
 *
 * Live messages are at most one a second, and what came too early goes with the next reading of anybody.
 */
async function keepSending(host) {
  nKept += 1;
  await host.sendOk("metronome", { temperature: 21.5, timestamp: Date.UTC(2026, 0, 2) + nKept * 1000 });
}

let nKept = 0;

function rowOf(page, deviceId) {
  return page.locator("tr[data-index]", { hasText: deviceId });
}

/** Whether a text from the socket is an update that calls the device anomalous. */
function announces(text, deviceId) {
  const messages = text
    .split("\u001e")
    .filter(Boolean)
    .map((json) => JSON.parse(json));
  const updates = messages.filter(({ target }) => target === "update");
  return updates.some(({ arguments: [update] }) =>
    update.devices.some((row) => row.deviceId === deviceId && row.anomaly),
  );
}

/** Runs in the page. */
function isPainted(canvas) {
  const { width, height } = canvas;
  if (width === 0 || height === 0) {
    return false;
  }
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  return data.some((value) => value !== 0);
}
