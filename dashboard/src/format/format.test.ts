import { describe, expect, it } from "vitest";
import { formatCelsius, formatError, formatScore } from "./numbers.ts";
import { formatAge, formatInstant } from "./times.ts";

describe("numbers", () => {
  it.each([
    [formatCelsius(24.95), "24.9"],
    [formatCelsius(null), "–"],
    [formatCelsius(-1e300), "-1.0e+300"],
    [formatError(1.84), "1.840"],
    [formatError(0.00012), "1.2e-4"],
    [formatError(0), "0.000"],
    [formatScore(6.2), "6.20"],
    [formatScore(1234.5), "1235"],
    [formatScore(null), "–"],
  ])("%s", (text, expected) => {
    expect(text).toBe(expected);
  });
});

describe("ages", () => {
  const second = 1000;
  it.each([
    [0, "now"],
    [-5 * 60 * second, "now"],
    [59 * second, "59 s ago"],
    [60 * second, "1 min ago"],
    [3599 * second, "59 min ago"],
    [47 * 3600 * second, "47 h ago"],
    [48 * 3600 * second, "2 d ago"],
    [12 * 365 * 86400 * second, "12 y ago"],
  ])("%i ms", (age, expected) => {
    expect(formatAge(1e12 - age, 1e12)).toBe(expected);
  });

  it("writes out a time that is none", () => {
    expect(formatInstant(9e15)).toBe("9000000000000000");
  });
});
