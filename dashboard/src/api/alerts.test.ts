import { afterEach, describe, expect, it, vi } from "vitest";
import { createAlertCalls } from "./alerts.ts";

const signal = new AbortController().signal;
const filter = { state: "open", acknowledged: "", severity: "", devices: "" } as const;

const ANNOUNCE = "/api/acts/announce";

/**
 * Answers every call with `body`, and refuses to announce; returns the calls' paths and requests,
 * and how often an act was announced.
 */
function stubFetch(body: unknown, status = 200) {
  const calls: Array<{ path: string; init: RequestInit }> & { announced: number } = Object.assign(
    [],
    { announced: 0 },
  );
  vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
    if (path === ANNOUNCE) {
      calls.announced += 1;
      throw new TypeError("the service is away");
    }
    calls.push({ path, init });
    return new Response(JSON.stringify(body), { status });
  });
  return calls;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("alert calls", () => {
  it("ask for a device, or for a prefix with a star behind it, untrusted text escaped", async () => {
    const calls = stubFetch({ alerts: [], next: null });
    const client = createAlertCalls(null);
    await client.listAlerts(filter, null, signal);
    await client.listAlerts({ ...filter, devices: "a&b=#", severity: "critical" }, null, signal);
    await client.listAlerts({ ...filter, devices: "a/*", acknowledged: "false" }, "1~x", signal);
    await client.findAlert("b.1.0.<x>", signal);
    expect(calls.map(({ path }) => path)).toEqual([
      "/api/alerts?state=open&limit=100",
      "/api/alerts?state=open&limit=100&severity=critical&deviceId=a%26b%3D%23",
      "/api/alerts?state=open&limit=100&acknowledged=false&prefix=a%2F&after=1%7Ex",
      "/api/alerts?alertId=b.1.0.%3Cx%3E",
    ]);
  });

  it("send acts as JSON with the key, and a name only where there is one", async () => {
    const calls = stubFetch({ results: [{ alertId: "x", result: "unchanged" }] });
    const client = createAlertCalls("secret");
    const results = await client.acknowledge(["x"], { text: "on my way", by: "" }, signal);
    await client.acknowledge(["x"], { text: "", by: "anna" }, signal);
    await client.takeBack("x", { text: "not mine", by: "anna" }, signal);
    expect(results).toEqual([{ alertId: "x", result: "unchanged" }]);
    expect(calls.map(({ init }) => [init.method, JSON.parse(String(init.body))])).toEqual([
      ["POST", { alertIds: ["x"], note: "on my way" }],
      ["POST", { alertIds: ["x"], note: "", by: "anna" }],
      ["POST", { alertIds: ["x"], acknowledged: false, note: "not mine", by: "anna" }],
    ]);
    expect(calls.announced, "each is announced, which may fail").toBe(3);
    expect(calls[0]?.init.headers).toEqual({
      "content-type": "application/json",
      "x-api-key": "secret",
    });
  });

  it("mute from now by the API's clock, or from a time", async () => {
    const mute = { muteId: "m", state: "active", devices: "a*", from: 1, until: 2, reason: "x" };
    const calls = stubFetch({ mute: { ...mute, by: "anna", at: 1, ended: null } });
    const client = createAlertCalls(null);
    const statement = { text: "x", by: "anna" };
    await client.mute({ devices: "a*", from: null, minutes: 60 }, statement, signal);
    await client.mute({ devices: "a*", from: 5, minutes: 60 }, statement, signal);
    expect(calls.map(({ init }) => JSON.parse(String(init.body)))).toEqual([
      { devices: "a*", minutes: 60, reason: "x", by: "anna" },
      { devices: "a*", from: 5, minutes: 60, reason: "x", by: "anna" },
    ]);
  });

  it("do again once what failed, because a repeat changes nothing", async () => {
    const calls = stubFetch(null, 500);
    const act = createAlertCalls(null).unmute("mute-1", "", signal);
    await expect(act).rejects.toThrow("/api/mutes/end answered 500");
    expect(calls).toHaveLength(2);
    expect(calls.announced).toBe(0);
  });

  it("say why an act was refused", async () => {
    const calls = stubFetch({ error: { message: "alert `x` is closed" } }, 409);
    const act = createAlertCalls(null).acknowledge(["x"], { text: "", by: "" }, signal);
    await expect(act).rejects.toThrow("/api/alerts/acknowledge answered 409: alert `x` is closed");
    expect(calls).toHaveLength(1);
  });
});
