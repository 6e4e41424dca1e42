import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  acknowledgeResults,
  alertPage,
  devicePage,
  errorMessage,
  liveUpdate,
  muteAnswer,
  muteList,
  readingSeries,
  rejectPage,
  summary,
} from "./answers.ts";

const row = {
  deviceId: "d1",
  status: "anomaly",
  learning: false,
  timestamp: 1767323045000,
  temperature: 38.2,
  expected: 24.9,
  error: 1.84,
  score: 6.2,
  anomaly: true,
  lastAnomalyAt: 1767323045000,
  alert: null,
};

/** The JSON examples of `docs/api.md`, keyed by the heading above each. */
function documentedExamples(): Map<string, unknown> {
  const page = readFileSync(new URL("../../../docs/api.md", import.meta.url), "utf8");
  const examples = new Map<string, unknown>();
  for (const section of page.split(/^## /m).slice(1)) {
    const heading = section.split("\n", 1)[0] ?? "";
    const block = /```json\n([\s\S]*?)```/.exec(section)?.[1];
    if (block !== undefined) {
      examples.set(heading.replaceAll("`", ""), JSON.parse(block));
    }
  }
  return examples;
}

describe("answers as documented", () => {
  const examples = documentedExamples();

  it("reads the fleet", () => {
    const page = devicePage(examples.get("GET /api/devices"), "");
    expect(page.next).toBe("d1");
    expect(page.devices[0]).toMatchObject({ deviceId: "d1", status: "anomaly", score: 6.2 });
  });

  it("reads a device's readings", () => {
    const series = readingSeries(examples.get("GET /api/devices/{deviceId}/readings"), "");
    expect(series.truncated).toBe(false);
    expect(series.readings).toEqual([
      {
        timestamp: 1767323045000,
        temperature: 38.2,
        expected: 24.9,
        error: 1.84,
        score: 6.2,
        anomaly: true,
      },
    ]);
  });

  it("reads rejects", () => {
    const page = rejectPage(examples.get("GET /api/rejects"), "");
    expect(page.next).toBe("1767323045100~4711~0~1a2b3c4d.0.x");
    expect(page.rejects[0]).toMatchObject({ reason: "malformed", text: '{"temperature":21.5,' });
  });

  it("reads the summary", () => {
    expect(summary(examples.get("GET /api/summary"), "").devices.total).toBe(20);
  });

  it("reads alerts, mutes, and what became of acts", () => {
    const [alert] = alertPage(examples.get("GET /api/alerts"), "").alerts;
    expect(alert).toMatchObject({ kind: "spike", acknowledged: { by: "anna" }, muted: false });
    expect(alert?.readings[1]).toEqual([1767323045000, 38.2]);
    const [result] = acknowledgeResults(examples.get("POST /api/alerts/acknowledge"), "");
    expect(result?.result).toBe("acknowledged");
    expect(muteAnswer(examples.get("POST /api/mutes"), "").state).toBe("planned");
    expect(muteAnswer(examples.get("POST /api/mutes/end"), "").ended?.by).toBe("berta");
    expect(muteList(examples.get("GET /api/mutes"), "")).toHaveLength(1);
  });

  it("reads an error's message", () => {
    expect(errorMessage(examples.get("Errors"))).toContain("parameter `from`");
  });
});

describe("answers of another shape", () => {
  it("accepts nulls where a device has no full window yet", () => {
    const fresh = { ...row, status: "learning", expected: null, error: null, score: null };
    const page = devicePage({ devices: [fresh], next: null }, "");
    expect(page.devices[0]?.score).toBeNull();
  });

  it.each([
    [{ ...row, temperature: "38" }, "`devices[0].temperature`: expected a number, got string"],
    [{ ...row, status: "fine" }, "`devices[0].status`: expected one of"],
    [{ ...row, deviceId: undefined }, "`devices[0].deviceId`: expected a string, got undefined"],
    [{ ...row, anomaly: null }, "`devices[0].anomaly`: expected true or false, got null"],
    [null, "`devices[0]`: expected an object, got null"],
  ])("names the place that is wrong (%#)", (device, message) => {
    expect(() => devicePage({ devices: [device], next: null }, "")).toThrow(message);
  });

  it("refuses a page that is not an object", () => {
    expect(() => devicePage([], "answer")).toThrow("`answer`: expected an object, got an array");
  });

  it("ignores fields it does not know", () => {
    const update = { enqueuedAt: 1, readings: 5, devices: [row], alerts: {}, future: true };
    expect(liveUpdate(update, "").devices).toHaveLength(1);
  });

  it("finds no message in an error page of a proxy", () => {
    expect(errorMessage("<html>")).toBeNull();
    expect(errorMessage({ error: "x" })).toBeNull();
  });
});
