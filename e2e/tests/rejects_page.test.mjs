/** Rejected events on the page: listed, opened, narrowed down, and never taken for more than text. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { openBrowser, openPage } from "../browser.mjs";
import { poll, startHost, temporaryFolder } from "../harness.mjs";

const HOSTILE = '<img src=x onerror="document.title=1"> \u202e txet \u0007 "><script>document.title=1</script>';
const LONG = `{"readings":[${"5,".repeat(2_000)}`;

describe("rejects on the page", () => {
  let host;
  let browser;
  let folder;

  before(async () => {
    [host, browser, folder] = await Promise.all([startHost(), openBrowser(), temporaryFolder()]);
    await host.sendOk("hostile", HOSTILE);
    await host.sendOk("long", LONG);
    for (let n = 0; n < 110; n += 1) {
      await host.sendOk("chatty", "[]");
    }
    await poll("the rejects", async () => {
      const { rejects } = await host.json("/api/rejects?limit=1000");
      return rejects.length === 112;
    });
  });

  test("are a tab of their own, with older ones on demand", async () => {
    const { page, complaints } = await openPage(browser, host.url);
    const title = await page.title();
    await page.getByRole("link", { name: "Rejects" }).click();
    const rows = page.locator(".reject-table tbody tr");
    await poll("a page of rejects", async () => (await rows.count()) === 100);
    await page.getByRole("button", { name: "Show older" }).click();
    await poll("the rest", async () => (await rows.count()) === 112);
    await page.screenshot({ path: join(folder, "rejects.png") });

    const hostile = rows.filter({ hasText: "hostile" });
    await hostile.locator("summary").click();
    assert.equal(await hostile.locator("pre code").evaluate((code) => code.textContent), HOSTILE);
    assert.equal(await page.locator(".reject-table img").count(), 0);
    assert.equal(await page.title(), title);

    const long = rows.filter({ hasText: "long" });
    assert.ok((await long.locator("summary").innerText()).length < 200);
    await long.locator("summary").click();
    assert.equal(await long.locator("pre").innerText(), LONG);
    await page.screenshot({ path: join(folder, "reject-open.png") });
    assert.deepEqual(complaints, []);
  });

  test("can be narrowed down", async () => {
    const { page } = await openPage(browser, `${host.url}/#/rejects`, { colorScheme: "dark" });
    const rows = page.locator(".reject-table tbody tr");
    await page.getByLabel("Reason").selectOption("malformed");
    await poll("malformed ones", async () => (await rows.count()) === 2);
    await page.getByLabel("Device id").fill("long");
    await page.getByLabel("Device id").press("Enter");
    await poll("those of one device", async () => (await rows.count()) === 1);
    await page.screenshot({ path: join(folder, "rejects-dark.png") });
    await page.getByLabel("Device id").fill("nobody");
    await page.getByLabel("Device id").press("Enter");
    await page.getByText("No rejected events").waitFor();
  });
});
