import { expect, it } from "vitest";
import { retryDelay } from "./retry.ts";

it("waits longer each time, up to 30 seconds, for ever", () => {
  expect([0, 1, 2, 3, 4, 5, 6, 1e9].map((attempt) => retryDelay(attempt, 0))).toEqual([
    1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
  ]);
});

it("spreads the waits by chance", () => {
  expect(retryDelay(3, 1)).toBe(4_000);
});
