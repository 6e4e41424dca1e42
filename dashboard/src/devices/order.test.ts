import { describe, expect, it } from "vitest";
import type { DeviceRow } from "../api/types.ts";
import { attentionOf } from "./attention.ts";
import {
  DEFAULT_SORTING,
  type Filter,
  listDevices,
  NO_FILTER,
  rankIds,
  type Sorting,
  sortingAfterClick,
} from "./order.ts";

const NOW = 10_000_000;

function device(deviceId: string, part: Partial<DeviceRow> = {}): DeviceRow {
  return {
    deviceId,
    status: "normal",
    timestamp: NOW,
    temperature: 20,
    expected: 20,
    error: 0.1,
    score: 0.2,
    anomaly: false,
    lastAnomalyAt: null,
    ...part,
  };
}

function order(
  devices: readonly DeviceRow[],
  sorting: Sorting = DEFAULT_SORTING,
  filter: Filter = NO_FILTER,
): readonly string[] {
  const rows = new Map(devices.map((row) => [row.deviceId, row]));
  const ranks = rankIds(rows.keys());
  const listed = listDevices({ rows, ranks, fleetNewestAt: NOW, filter, sorting });
  return listed.map((row) => row.deviceId);
}

describe("attention", () => {
  it.each([
    ["its newest reading", { status: "anomaly" as const }, "anomaly"],
    ["unknown, as nothing is heard", { status: "silent" as const, lastAnomalyAt: NOW }, "silent"],
    ["ten minutes ago", { lastAnomalyAt: NOW - 600_000 }, "recent"],
    ["just before that", { lastAnomalyAt: NOW - 600_001 }, "calm"],
    ["never", {}, "calm"],
  ])("anomaly %s", (_when, part, expected) => {
    expect(attentionOf(device("d"), NOW)).toBe("calm");
    expect(attentionOf(device("d", part), NOW)).toBe(expected);
  });
});

describe("order", () => {
  it("puts anomalies first, then silent and recent ones, then ids in natural order", () => {
    const fleet = [
      device("d10"),
      device("d9", { lastAnomalyAt: NOW - 1000 }),
      device("d2"),
      device("d30", { status: "anomaly" }),
      device("d40", { status: "silent" }),
    ];
    expect(order(fleet)).toEqual(["d30", "d40", "d9", "d2", "d10"]);
  });

  it("sorts by a number in both directions, with missing values last", () => {
    const fleet = [
      device("a", { score: null }),
      device("b", { score: 3 }),
      device("c", { score: 0.5 }),
    ];
    expect(order(fleet, { key: "score", descending: true })).toEqual(["b", "c", "a"]);
    expect(order(fleet, { key: "score", descending: false })).toEqual(["c", "b", "a"]);
  });

  it("keeps equal devices in the order of their ids", () => {
    const fleet = [device("b"), device("c"), device("a")];
    expect(order(fleet, { key: "temperature", descending: true })).toEqual(["a", "b", "c"]);
  });

  it("filters by the start of the id and by status", () => {
    const fleet = [device("Plant-1"), device("plant-2", { status: "learning" }), device("a-plant")];
    expect(order(fleet, DEFAULT_SORTING, { prefix: " plant", status: "all" })).toEqual([
      "Plant-1",
      "plant-2",
    ]);
    expect(order(fleet, DEFAULT_SORTING, { prefix: "p", status: "learning" })).toEqual(["plant-2"]);
  });

  it("turns round at a second click", () => {
    const first = sortingAfterClick(DEFAULT_SORTING, "score");
    expect(first).toEqual({ key: "score", descending: true });
    expect(sortingAfterClick(first, "score").descending).toBe(false);
    expect(sortingAfterClick(first, "deviceId").descending).toBe(false);
  });
});
