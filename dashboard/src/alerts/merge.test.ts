import { describe, expect, it } from "vitest";
import { alertOf } from "./alertOf.ts";
import { appendOlder, mergeNewest } from "./merge.ts";

const alert = (alertId: string, openedAt: number) => alertOf({ alertId, openedAt });
const ids = (alerts: readonly { alertId: string }[]) => alerts.map(({ alertId }) => alertId);

describe("alerts that are shown", () => {
  const known = [alert("c", 30), alert("a", 20), alert("b", 20), alert("z", 10)];

  it("begin with the fresh page and go on with what is older", () => {
    const page = { alerts: [alert("d", 40), alert("c", 30), alert("a", 20)], next: "20~a" };
    expect(ids(mergeNewest(known, page))).toEqual(["d", "c", "a", "b", "z"]);
  });

  it("lose what a fresh page lacks", () => {
    const page = { alerts: [alert("d", 40), alert("b", 20)], next: "20~b" };
    expect(ids(mergeNewest(known, page))).toEqual(["d", "b", "z"]);
    expect(mergeNewest(known, { alerts: [], next: null })).toEqual([]);
  });

  it("stay where a page was empty and others follow", () => {
    expect(mergeNewest(known, { alerts: [], next: "5~x" })).toBe(known);
  });

  it("are not doubled by an older page", () => {
    const page = { alerts: [alert("z", 10), alert("y", 5)], next: null };
    expect(ids(appendOlder(known, page))).toEqual(["c", "a", "b", "z", "y"]);
  });
});
