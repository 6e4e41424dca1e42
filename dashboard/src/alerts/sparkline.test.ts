import { describe, expect, it } from "vitest";
import { lineOf } from "./sparkline.ts";

const BOX = { width: 100, height: 20, padding: 2 };

describe("sparkline", () => {
  it("goes from edge to edge, warm above cold", () => {
    const line = lineOf(
      [
        [0, 10],
        [5, 20],
        [10, 15],
      ],
      null,
      BOX,
    );
    expect(line).toEqual({ points: "2,18 50,2 98,10", last: [98, 10], expectedY: null });
  });

  it("makes room for what was expected", () => {
    expect(
      lineOf(
        [
          [0, 10],
          [1, 20],
        ],
        0,
        BOX,
      )?.expectedY,
    ).toBe(18);
  });

  it("draws what is alike in the middle", () => {
    expect(lineOf([[5, 10]], null, BOX)).toMatchObject({ points: "50,10", last: [50, 10] });
    expect(lineOf([], 3, BOX)).toBeNull();
  });
});
