import { afterEach, describe, expect, it, vi } from "vitest";
import { createApiClient, readingsPath } from "./client.ts";

const signal = new AbortController().signal;

function row(deviceId: string) {
  return { deviceId, status: "normal", timestamp: 1, temperature: 20, anomaly: false };
}

/** Answers each call with the next of `bodies`; returns the mock, which records the calls. */
function stubFetch(...bodies: ReadonlyArray<{ status?: number; body: unknown }>) {
  const queue = [...bodies];
  const stub = vi.fn(async (_path: string, _init: RequestInit) => {
    const next = queue.shift() ?? { status: 500, body: null };
    return new Response(JSON.stringify(next.body), { status: next.status ?? 200 });
  });
  vi.stubGlobal("fetch", stub);
  return stub;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("client", () => {
  it("follows the cursor through all pages and sends the key with each", async () => {
    const calls = stubFetch(
      { body: { devices: [row("a")], next: "a" } },
      { body: { devices: [row("b")], next: null } },
    );
    const rows = await createApiClient("secret").listDevices(signal);
    expect(rows.map((device) => device.deviceId)).toEqual(["a", "b"]);
    expect(calls.mock.calls.map(([path]) => path)).toEqual([
      "/api/devices?limit=10000",
      "/api/devices?limit=10000&after=a",
    ]);
    expect(calls.mock.calls.map(([, init]) => init.headers)).toEqual([
      { "x-api-key": "secret" },
      { "x-api-key": "secret" },
    ]);
  });

  it("asks for rejects with what is given, untrusted text escaped", async () => {
    const page = { body: { rejects: [], next: null } };
    const calls = stubFetch(page, page);
    const client = createApiClient(null);
    await client.listRejects({ deviceId: "", reason: "" }, null, signal);
    await client.listRejects({ deviceId: "a&b=#?/..", reason: "malformed" }, "1~2~0~b.0.x", signal);
    expect(calls.mock.calls.map(([path]) => path)).toEqual([
      "/api/rejects?limit=100",
      "/api/rejects?limit=100&deviceId=a%26b%3D%23%3F%2F..&reason=malformed&after=1%7E2%7E0%7Eb.0.x",
    ]);
  });

  it("stops at a cursor that stands still", async () => {
    const page = { body: { devices: [row("a")], next: "a" } };
    const calls = stubFetch(page, page, page);
    await createApiClient(null).listDevices(signal);
    expect(calls).toHaveBeenCalledTimes(2);
  });

  it.each([
    [401, {}, "unauthorized", "the API asks for a key"],
    [
      404,
      { error: { message: "no device `x`" } },
      "not-found",
      "/api/summary answered 404: no device `x`",
    ],
    [503, null, "refused", "/api/summary answered 503"],
    [200, { devices: {} }, "malformed", "/api/summary: `devices.total`: expected a number"],
  ])("tells a %i apart", async (status, body, kind, message) => {
    stubFetch({ status, body });
    const failure = createApiClient(null).getSummary(signal);
    await expect(failure).rejects.toMatchObject({
      kind,
      message: expect.stringContaining(message),
    });
  });

  it("tells an unreachable API apart", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("failed to fetch")));
    const failure = createApiClient(null).getSummary(signal);
    await expect(failure).rejects.toMatchObject({ kind: "unreachable" });
  });

  it("passes the caller's abort on as it is", async () => {
    const controller = new AbortController();
    vi.stubGlobal("fetch", () => Promise.reject(new DOMException("aborted", "AbortError")));
    controller.abort(new Error("no longer needed"));
    const failure = createApiClient(null).getSummary(controller.signal);
    await expect(failure).rejects.toThrow("no longer needed");
  });

  it("keeps ids from escaping their place in the address", () => {
    expect(readingsPath("a/../b?x=1#y", { from: 5, to: 9 }, "csv")).toBe(
      "/api/readings?deviceId=a%2F..%2Fb%3Fx%3D1%23y&from=5&to=9&limit=50000&format=csv",
    );
  });
});
