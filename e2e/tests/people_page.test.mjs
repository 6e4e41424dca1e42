/** The page's alerts: live, opened by a link, acknowledged and muted by clicks and keys, counted in the title. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { openBrowser, openPage } from "../browser.mjs";
import { poll, startHost } from "../harness.mjs";

const MINUTE_MS = 60_000;
const START = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 60 * MINUTE_MS;

describe("the page's alerts", () => {
  let host;
  let browser;
  let nReadings = 0;

  before(async () => {
    const env = { LIMITS: "freezer-*=..-15" };
    [host, browser] = await Promise.all([startHost({ partitions: 1, env }), openBrowser()]);
    await send("metronome", 21);
    await poll("a device", async () => (await host.json("/api/devices")).devices.length === 1);
  });

  /** Each reading of whoever is a second later than the one before. */
  async function send(device, temperature) {
    nReadings += 1;
    await host.sendOk(device, { temperature, timestamp: START + nReadings * 1000 });
  }

  /** Live messages are at most one a second: what came too early goes with the next reading of anybody. */
  async function open(device) {
    await send(device, -20);
    await send(device, -4);
    await poll(`the alert of ${device}`, async () => {
      const { alerts } = await host.json(`/api/alerts?deviceId=${device}&kind=limit`);
      return alerts.length === 1;
    });
  }

  test("a new alert comes live, waits in the title, and is acknowledged by a click", async () => {
    const { page, complaints } = await openPage(browser, `${host.url}/#/alerts`);
    await page.getByText("No such alerts.").waitFor();
    await page.evaluate(() => {
      window.wasLoadedOnce = true;
    });
    await open("freezer-1");
    const row = page.locator(".alert-row", { hasText: "freezer-1" });
    await poll("the alert in the list", async () => {
      await send("metronome", 21);
      return row.isVisible();
    });
    await poll("the title", async () => (await page.title()) === "(1) Temperature Anomalies");
    assert.equal(await page.evaluate(() => window.wasLoadedOnce), true);

    await row.getByRole("link").click();
    const detail = page.locator(".alert-detail");
    await detail.getByRole("heading", { name: "freezer-1" }).waitFor();
    await detail.getByLabel("Note (optional)").fill("<img src=x onerror=alert(1)>");
    await detail.getByLabel("Your name").first().fill("anna");
    await detail.getByRole("button", { name: "Acknowledge" }).click();
    await detail.getByText("Acknowledged by anna").waitFor();
    await row.getByText("✓ anna").waitFor();
    await poll("the title", async () => (await page.title()) === "Temperature Anomalies");
    await detail.getByRole("button", { name: "Take back" }).click();
    await poll("the title", async () => (await page.title()) === "(1) Temperature Anomalies");
    await detail.getByLabel("Note (optional)").fill("mine after all");
    await detail.getByRole("button", { name: "Acknowledge" }).click();
    await detail.getByText("mine after all").waitFor();
    await poll("the title", async () => (await page.title()) === "Temperature Anomalies");
    assert.equal(await page.locator("img[src=x]").count(), 0);
    assert.deepEqual(complaints, []);

    await detail.getByRole("link", { name: "Show the device’s chart" }).click();
    await page.locator("section.device h2", { hasText: "freezer-1" }).waitFor();
    await page.getByRole("link", { name: "Alerts", exact: true }).last().click();
    await page.locator(".alert-row", { hasText: "freezer-1" }).waitFor();
    assert.match(page.url(), /devices=freezer-1/);
  });

  test("several are acknowledged at once, by keys alone", async () => {
    await open("freezer-2");
    await open("freezer-3");
    const { page, complaints } = await openPage(browser, `${host.url}/#/alerts?acknowledged=false`);
    await page.locator(".alert-row", { hasText: "freezer-3" }).waitFor();
    await page.getByLabel("Select all").focus();
    await page.keyboard.press("Space");
    await page.getByText("2 selected").waitFor();
    await page.getByLabel("Note (optional)").focus();
    await page.keyboard.type("power is back");
    await page.keyboard.press("Enter");
    await page.getByText("No such alerts.").waitFor();
    const { alerts } = await host.json("/api/alerts?kind=limit&acknowledged=true&prefix=freezer-");
    assert.deepEqual(
      alerts.map(({ deviceId, acknowledged }) => [deviceId, acknowledged.note]).slice(0, 2),
      [
        ["freezer-3", "power is back"],
        ["freezer-2", "power is back"],
      ],
    );
    assert.deepEqual(complaints, []);
  });

  test("who acts is seen on another page at once, and what was refused is said with its reason", async () => {
    const [mine, theirs] = await Promise.all([
      openPage(browser, `${host.url}/#/alerts?acknowledged=false`),
      openPage(browser, `${host.url}/#/alerts?acknowledged=false`),
    ]);
    await open("freezer-5");
    await open("freezer-6");
    const rows = () => [mine, theirs].map(({ page }) => page.locator(".alert-row", { hasText: "freezer-6" }));
    await poll("both pages to show them", async () => {
      await send("metronome", 21);
      const visible = await Promise.all(rows().map((row) => row.isVisible()));
      return visible.every(Boolean);
    });
    // One of the two closes while somebody is about to acknowledge both: the list is what it was a moment ago.
    await mine.page.route("**/api/alerts/acknowledge", async (route) => {
      const answer = await route.fetch();
      const body = await answer.json();
      body.results[1].result = "closed";
      await route.fulfill({ response: answer, json: body });
    });
    await mine.page.getByLabel("Select all").click();
    await mine.page.getByRole("button", { name: "Acknowledge", exact: true }).click();
    await mine.page.getByText("1 of 2 could not be acknowledged: limit of freezer-5 is closed already.").waitFor();
    await theirs.page.getByText("No such alerts.").waitFor();
    assert.deepEqual([...mine.complaints, ...theirs.complaints], []);
  });

  test("a link opens an alert of any state, on a phone, and its device is muted there", async () => {
    const { alerts } = await host.json("/api/alerts?kind=limit&deviceId=freezer-1");
    const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
    const url = `${host.url}/#/alerts/${alerts[0].alertId}?state=closed`;
    const { page, complaints } = await openPage(browser, url, phone);
    const detail = page.locator(".alert-detail");
    await detail.getByText("Acknowledged by anna").waitFor();
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.equal(await overflow(), 0, "wider than the phone");
    await detail.getByLabel("Reason").fill("defrosting");
    await detail.getByRole("button", { name: "Mute" }).click();
    await detail.getByText("Muted.").waitFor();

    await page.goto(`${host.url}/#/mutes`);
    const mute = page.locator(".mute-row", { hasText: "freezer-1" });
    await mute.getByText("active").waitFor();
    assert.equal(await overflow(), 0, "wider than the phone");
    await mute.getByRole("button", { name: "End mute of freezer-1" }).click();
    await mute.getByText("past").waitFor();
    assert.deepEqual(complaints, []);
  });
});
