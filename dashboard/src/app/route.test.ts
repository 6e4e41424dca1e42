import { describe, expect, it } from "vitest";
import { deviceHref, parseRoute } from "./route.ts";

describe("route", () => {
  it.each(["d1", "a/b?c#d%", "<img src=x onerror=alert(1)>", "Kühlraum 7", "…"])(
    "finds the way back to %s",
    (deviceId) => {
      expect(parseRoute(deviceHref(deviceId, "7d"))).toEqual({
        view: "fleet",
        deviceId,
        range: "7d",
      });
      expect(parseRoute(deviceHref(deviceId, "1h"))).toEqual({
        view: "fleet",
        deviceId,
        range: "1h",
      });
    },
  );

  it.each(["", "#/", "#/elsewhere/d1", "#/devices/", "#/devices/%E0%A4%A"])(
    "chooses no device at %j",
    (hash) => {
      expect(parseRoute(hash).deviceId).toBeNull();
    },
  );

  it("shows rejects where asked to", () => {
    expect(parseRoute("#/rejects").view).toBe("rejects");
    expect(parseRoute("#/devices/rejects").view).toBe("fleet");
  });

  it("falls back to a range that exists", () => {
    expect(parseRoute("#/devices/d1?range=century").range).toBe("6h");
  });
});
