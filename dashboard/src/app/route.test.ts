import { describe, expect, it } from "vitest";
import { alertsHref, deviceHref, OPEN_ALERTS, parseRoute } from "./route.ts";

describe("route", () => {
  it.each(["d1", "a/b?c#d%", "<img src=x onerror=alert(1)>", "Kühlraum 7", "…"])(
    "finds the way back to %s",
    (deviceId) => {
      expect(parseRoute(deviceHref(deviceId, "7d"))).toMatchObject({
        view: "fleet",
        deviceId,
        range: "7d",
      });
      expect(parseRoute(deviceHref(deviceId, "1h"))).toMatchObject({
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

  it("finds the way back to alerts and one of them", () => {
    const filter = {
      state: "all",
      acknowledged: "false",
      severity: "critical",
      devices: "a&b=#?/*",
    } as const;
    const alertId = "1a2b3c4d.0.3.4711.0.spike";
    expect(parseRoute(alertsHref(filter, alertId))).toMatchObject({
      view: "alerts",
      deviceId: null,
      alertId,
      filter,
    });
    expect(parseRoute(alertsHref(filter, null))).toMatchObject({ alertId: null, filter });
    expect(alertsHref(OPEN_ALERTS, alertId)).toBe(`#/alerts/${alertId}`);
    expect(parseRoute("#/alerts/?state=ajar")).toMatchObject({
      view: "alerts",
      alertId: null,
      filter: OPEN_ALERTS,
    });
    expect(parseRoute("#/mutes").view).toBe("mutes");
  });

  it("falls back to a range that exists", () => {
    expect(parseRoute("#/devices/d1?range=century").range).toBe("6h");
  });
});
