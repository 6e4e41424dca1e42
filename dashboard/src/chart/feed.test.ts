import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ApiClient, ReadingSpan } from "../api/client.ts";
import type { DeviceRow, Reading, ReadingSeries } from "../api/types.ts";
import { type FeedState, openFeed, REFILL_PAUSE_MS } from "./feed.ts";

function reading(timestamp: number): Reading {
  return { timestamp, temperature: 20, expected: 20, error: 0.1, score: 0.2, anomaly: false };
}

function row(timestamp: number): DeviceRow {
  return { ...reading(timestamp), deviceId: "d1", status: "normal", lastAnomalyAt: null };
}

/** A device that has sent every 10 ms since 0; `newest` is how far its store has come. */
function start(newest: number, failing = false) {
  const store = { newest, failing };
  const listReadings = vi.fn(async (_id: string, span: ReadingSpan): Promise<ReadingSeries> => {
    if (store.failing) {
      throw new Error("the store is away");
    }
    const readings: Reading[] = [];
    for (let time = span.from; time <= store.newest; time += 10) {
      readings.push(reading(time));
    }
    return { readings, truncated: false };
  });
  let state: FeedState | undefined;
  const feed = openFeed({
    client: { listReadings } as Partial<ApiClient> as ApiClient,
    deviceId: "d1",
    span: { from: 0 },
    onChange: (next) => {
      state = next;
    },
  });
  const lastTime = () => state?.readings.at(-1)?.timestamp;
  return { feed, store, listReadings, lastTime, state: () => state };
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("feed", () => {
  it("fetches the range, then appends live readings without asking again", async () => {
    const { feed, listReadings, lastTime } = start(100);
    await vi.advanceTimersByTimeAsync(0);
    feed.offer(row(110));
    feed.offer(row(120));
    feed.offer(row(115));
    expect(lastTime()).toBe(120);
    expect(listReadings).toHaveBeenCalledTimes(1);
  });

  it("keeps a row that came before the range was there", async () => {
    const { feed, lastTime } = start(100);
    feed.offer(row(110));
    await vi.advanceTimersByTimeAsync(0);
    expect(lastTime()).toBe(110);
  });

  it("fetches what live messages left out", async () => {
    const { feed, store, state } = start(100);
    await vi.advanceTimersByTimeAsync(0);
    store.newest = 200;
    feed.offer(row(200));
    await vi.advanceTimersByTimeAsync(0);
    expect(state()?.readings).toHaveLength(21);
  });

  it("does not ask more often than the pause, and ends with the newest reading", async () => {
    const { feed, store, listReadings, lastTime } = start(100);
    await vi.advanceTimersByTimeAsync(0);
    for (let time = 200; time <= 1_000; time += 100) {
      store.newest = time;
      feed.offer(row(time));
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(listReadings).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(REFILL_PAUSE_MS);
    expect(listReadings).toHaveBeenCalledTimes(3);
    expect(lastTime()).toBe(1_000);
  });

  it("asks by itself when nothing is offered", async () => {
    const { store, lastTime } = start(100);
    await vi.advanceTimersByTimeAsync(0);
    store.newest = 500;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(lastTime()).toBe(500);
  });

  it("tries again after a failure to fill a gap", async () => {
    const { feed, store, lastTime } = start(100);
    await vi.advanceTimersByTimeAsync(0);
    store.newest = 500;
    store.failing = true;
    feed.offer(row(500));
    await vi.advanceTimersByTimeAsync(0);
    expect(lastTime()).toBe(100);
    store.failing = false;
    await vi.advanceTimersByTimeAsync(REFILL_PAUSE_MS);
    expect(lastTime()).toBe(500);
  });

  it("says why the range could not be loaded", async () => {
    const { state } = start(100, true);
    await vi.advanceTimersByTimeAsync(0);
    expect(state()).toMatchObject({ loading: false, problem: "the store is away" });
  });

  it("asks for nothing once it is closed", async () => {
    const { feed, listReadings } = start(100);
    await vi.advanceTimersByTimeAsync(0);
    feed.close();
    feed.offer(row(900));
    await vi.advanceTimersByTimeAsync(120_000);
    expect(listReadings).toHaveBeenCalledTimes(1);
  });
});
