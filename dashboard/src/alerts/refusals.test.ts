import { describe, expect, it } from "vitest";
import type { AcknowledgeResult } from "../api/types.ts";
import { alertOf } from "./alertOf.ts";
import { describeRefusals } from "./refusals.ts";

describe("refusals", () => {
  it("name each alert with its reason, and nothing that succeeded", () => {
    const results: AcknowledgeResult[] = [
      { alertId: "a", result: "acknowledged" },
      { alertId: "b", result: "closed" },
      { alertId: "c", result: "unchanged" },
      { alertId: "gone", result: "unknown" },
    ];
    const alerts = [alertOf({ alertId: "b", kind: "drift", deviceId: "fridge-1" })];
    expect(describeRefusals(results, alerts)).toBe(
      "2 of 4 could not be acknowledged: drift of fridge-1 is closed already; gone is not stored any more",
    );
    expect(describeRefusals(results.slice(0, 1), alerts)).toBeNull();
  });

  it("count what is too much to name", () => {
    const results = Array.from({ length: 1200 }, (_, n) => {
      return { alertId: `a${n}`, result: "closed" } as const;
    });
    const text = describeRefusals(results, []);
    expect(text).toMatch(/^1,200 of 1,200 could not be acknowledged: a0 is closed already; /);
    expect(text).toMatch(/; and 1,195 more$/);
  });
});
