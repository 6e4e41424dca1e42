import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ApiClient } from "../api/client.ts";
import { ApiFailure } from "../api/failure.ts";
import type { DeviceRow, Summary } from "../api/types.ts";
import type { HubListener } from "./hub.ts";
import { startSession } from "./session.ts";

const SUMMARY: Summary = {
  devices: { total: 1, normal: 1, anomaly: 0, learning: 0, silent: 0 },
  newestReadingAt: 1,
  openAlerts: 0,
  unacknowledgedAlerts: 0,
  policy: "calibrated",
  model: { sha256: "abc", windowLength: 32 },
};

function row(timestamp: number, status: DeviceRow["status"] = "normal"): DeviceRow {
  return {
    deviceId: "d1",
    status,
    timestamp,
    temperature: 20,
    expected: null,
    error: null,
    score: null,
    anomaly: status === "anomaly",
    lastAnomalyAt: null,
  };
}

function start(part: Partial<ApiClient> = {}) {
  const client = {
    needsKey: false,
    listDevices: vi.fn(async () => [row(1)]),
    getSummary: vi.fn(async () => SUMMARY),
    listReadings: vi.fn(),
    listRejects: vi.fn(),
    downloadReadings: vi.fn(),
    listAlerts: vi.fn(),
    findAlert: vi.fn(),
    acknowledge: vi.fn(),
    listMutes: vi.fn(),
    mute: vi.fn(),
    takeBack: vi.fn(),
    unmute: vi.fn(),
    ...part,
  };
  const closeHub = vi.fn();
  let hub: HubListener | undefined;
  const session = startSession({
    client,
    openHub: (listener) => {
      hub = listener;
      return closeHub;
    },
    now: () => Date.now(),
  });
  if (hub === undefined) {
    throw new Error("the session opened no hub");
  }
  return { session, client, hub, closeHub };
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("session", () => {
  it("polls at once, then every 10 seconds without live messages", async () => {
    const { client } = start();
    await vi.advanceTimersByTimeAsync(0);
    expect(client.listDevices).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(client.listDevices).toHaveBeenCalledTimes(2);
  });

  it("polls every 30 seconds while live messages come", async () => {
    const { client, hub } = start();
    hub.onConnected();
    for (let second = 1; second <= 29; second += 1) {
      hub.onUpdate({ enqueuedAt: null, devices: [row(second)], alertsChanged: false });
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(client.listDevices).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(client.listDevices).toHaveBeenCalledTimes(2);
  });

  it("asks for the counts when a status changed", async () => {
    const { client, hub } = start();
    hub.onConnected();
    await vi.advanceTimersByTimeAsync(1_000);
    hub.onUpdate({ enqueuedAt: null, devices: [row(2)], alertsChanged: false });
    await vi.advanceTimersByTimeAsync(6_000);
    expect(client.getSummary).toHaveBeenCalledTimes(1);
    hub.onUpdate({ enqueuedAt: null, devices: [row(3, "anomaly")], alertsChanged: false });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(client.getSummary).toHaveBeenCalledTimes(2);
  });

  it("tells of alerts that changed, and asks for the counts", async () => {
    const { session, client, hub } = start();
    hub.onConnected();
    await vi.advanceTimersByTimeAsync(1_000);
    const { alertNews } = session.getSnapshot();
    hub.onUpdate({ enqueuedAt: null, devices: [], alertsChanged: false });
    expect(session.getSnapshot().alertNews).toBe(alertNews);
    hub.onUpdate({ enqueuedAt: null, devices: [], alertsChanged: true });
    hub.onPeople();
    expect(session.getSnapshot().alertNews).toBe(alertNews + 2);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(client.getSummary).toHaveBeenCalledTimes(2);
  });

  it("shows a failure once and drops it after the next success", async () => {
    const failure = new ApiFailure("refused", "/api/devices answered 503");
    const listDevices = vi
      .fn()
      .mockRejectedValueOnce(failure)
      .mockResolvedValue([row(1)]);
    const { session } = start({ listDevices });
    await vi.advanceTimersByTimeAsync(0);
    expect(session.getSnapshot()).toMatchObject({
      problem: "/api/devices answered 503",
      link: { poll: "failed" },
      summary: SUMMARY,
    });
    session.refresh();
    await vi.advanceTimersByTimeAsync(0);
    expect(session.getSnapshot()).toMatchObject({ problem: null, link: { poll: "ok" } });
  });

  it("stops everything at a 401", async () => {
    const listDevices = vi
      .fn()
      .mockRejectedValue(new ApiFailure("unauthorized", "a key is missing"));
    const { session, closeHub } = start({ listDevices });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(session.getSnapshot()).toMatchObject({ problem: null, link: { signedOut: true } });
    expect(listDevices).toHaveBeenCalledTimes(1);
    expect(closeHub).toHaveBeenCalledTimes(1);
  });

  it("draws messages of the same moment together", async () => {
    const { session, hub } = start();
    await vi.advanceTimersByTimeAsync(500);
    const listener = vi.fn();
    session.subscribe(listener);
    for (let time = 10; time < 20; time += 1) {
      hub.onUpdate({ enqueuedAt: null, devices: [row(time)], alertsChanged: false });
    }
    await vi.advanceTimersByTimeAsync(200);
    expect(listener).toHaveBeenCalledTimes(1);
    expect(session.getSnapshot().fleet.rows.get("d1")?.timestamp).toBe(19);
  });
});
