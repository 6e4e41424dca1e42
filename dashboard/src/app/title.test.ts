import { expect, it } from "vitest";
import { titleOf } from "./title.ts";

it("counts what waits in front of the page's name", () => {
  expect(titleOf(0)).toBe("Temperature Anomalies");
  expect(titleOf(3)).toBe("(3) Temperature Anomalies");
});
