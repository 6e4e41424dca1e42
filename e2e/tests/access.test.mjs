/** Who may look: with a key set, the key and nothing else opens data and connections. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { startHost } from "../harness.mjs";

const KEY = "a-key-for-tests-only";
/** What App Service Authentication would send, made up by the caller. */
const PRINCIPAL = Buffer.from(JSON.stringify({ auth_typ: "aad", claims: [] })).toString("base64");
const FORGED = { "x-ms-client-principal": PRINCIPAL, "x-ms-client-principal-id": "admin" };

const DATA = ["/api/devices", "/api/devices/the-only-device/readings", "/api/alerts", "/api/summary"];
const STRANGERS = [
  ["no key", {}],
  ["an empty key", { "x-api-key": "" }],
  ["a wrong key", { "x-api-key": `${KEY}x` }],
  ["the beginning of the key", { "x-api-key": KEY.slice(0, -1) }],
  ["a forged principal", FORGED],
  ["a forged principal and a wrong key", { ...FORGED, "x-api-key": "wrong" }],
  ["the key as a bearer token", { authorization: `Bearer ${KEY}` }],
];

describe("with a key set and nobody let in without", () => {
  let host;

  before(async () => {
    host = await startHost({ env: { API_KEY: KEY, ALLOW_ANONYMOUS: "" } });
    await host.sendOk("the-only-device", { temperature: 21.5, timestamp: Date.UTC(2026, 0, 2) });
  });

  for (const [who, headers] of STRANGERS) {
    test(`${who} is refused`, async () => {
      for (const path of DATA) {
        await assertRefused(await host.get(path, headers), path);
      }
      await assertRefused(await host.post("/api/negotiate", "", headers), "/api/negotiate");
      await assertRefused(
        await host.post("/api/negotiate?negotiateVersion=1", "", headers),
        "/api/negotiate",
      );
      await assertRefused(await host.get("/API/Devices", headers), "another letter case");
      await assertRefused(await host.get(`/api/devices?code=${KEY}`, headers), "the key in the query");
    });
  }

  test("the key opens data and connections", async () => {
    const headers = { "x-api-key": KEY };
    for (const path of ["/api/devices", "/api/alerts", "/api/summary"]) {
      await host.json(path, headers);
    }
    const response = await host.post("/api/negotiate?negotiateVersion=1", "", headers);
    assert.equal(response.status, 200);
    const { url, accessToken } = await response.json();
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\//);
    assert.equal(accessToken.split(".").length, 3);
  });

  test("the page itself is served to all and holds no data", async () => {
    const response = await host.get("/");
    assert.equal(response.status, 200);
    assert.match(response.headers.get("content-type"), /^text\/html/);
    const page = await response.text();
    assert.ok(!page.includes("the-only-device") && !page.includes(KEY));
  });
});

describe("with no key set and nobody let in without", () => {
  let host;

  before(async () => {
    host = await startHost({ env: { API_KEY: "", ALLOW_ANONYMOUS: "false" } });
  });

  for (const [who, headers] of STRANGERS) {
    test(`${who} is refused`, async () => {
      await assertRefused(await host.get("/api/devices", headers), "/api/devices");
      await assertRefused(await host.post("/api/negotiate", "", headers), "/api/negotiate");
    });
  }
});

async function assertRefused(response, what) {
  assert.equal(response.status, 401, what);
  const { error } = await response.json();
  assert.ok(error.message.length > 0, what);
}
