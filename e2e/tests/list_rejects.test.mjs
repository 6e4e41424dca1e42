/** Rejected events in the API: what is stored of them, page by page, as JSON and as CSV. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { poll, simulate, startHost } from "../harness.mjs";

const START = Date.UTC(2026, 0, 2);
const BROKEN = ['{"temperature":21.5,', "[]", "17", "=HYPERLINK(1)", "\u0000 ÿ \u{1f321} </script>"];
const DEVICES = ["alpha", "beta", "gamma"];
const MIXED = [5, { temperature: 20, timestamp: START }, { temperature: null, timestamp: START }];

describe("rejects", () => {
  let host;
  let all;

  before(async () => {
    host = await startHost({ partitions: 3 });
    for (const body of BROKEN) {
      await Promise.all(DEVICES.map((device) => host.sendOk(device, body)));
    }
    await host.sendOk("mixed", MIXED);
    const n = BROKEN.length * DEVICES.length + 2;
    ({ rejects: all } = await poll("all rejects", async () => {
      const page = await host.json("/api/rejects");
      return page.rejects.length === n && page;
    }));
  });

  test("are listed with what is known of them", () => {
    for (const device of DEVICES) {
      const own = all.filter(({ deviceId }) => deviceId === device).reverse();
      assert.deepEqual(
        own.map(({ text, reason }) => [text, reason]),
        BROKEN.map((text, n) => [text, ["malformed", "empty", "not-an-object"][n] ?? "malformed"]),
      );
      for (const { enqueuedAt, detail, hub, partition, sequence, index, count, cut } of own) {
        assert.ok(enqueuedAt > START && detail.length > 0 && sequence >= 0);
        assert.match(partition, /^[012]$/);
        assert.deepEqual([typeof hub, index, count, cut], ["string", 0, 1, false]);
      }
    }
  });

  test("are newest first", () => {
    const times = all.map(({ enqueuedAt }) => enqueuedAt);
    assert.deepEqual(times, times.toSorted((left, right) => right - left));
  });

  test("show an event's text with its first part", () => {
    const parts = all.filter(({ deviceId }) => deviceId === "mixed");
    assert.deepEqual(
      parts.map(({ text, reason, index, count }) => [text, reason, index, count]),
      [
        [JSON.stringify(MIXED), "not-an-object", 0, 3],
        [null, "missing-temperature", 2, 3],
      ],
    );
  });

  test("come page by page, each once", async () => {
    const seen = [];
    let after = "";
    do {
      const page = await host.json(`/api/rejects?limit=4&after=${encodeURIComponent(after)}`);
      assert.ok(page.rejects.length <= 4);
      seen.push(...page.rejects);
      after = page.next;
    } while (after !== null);
    assert.deepEqual(seen.map(placeOf), all.map(placeOf));
  });

  test("can be asked for by device, reason and time", async () => {
    const { rejects } = await host.json("/api/rejects?deviceId=beta&reason=malformed");
    assert.equal(rejects.length, 3);
    assert.ok(rejects.every(({ deviceId, reason }) => deviceId === "beta" && reason === "malformed"));
    const [newest] = all;
    const later = await host.json(`/api/rejects?from=${newest.enqueuedAt + 1}`);
    assert.deepEqual(later, { rejects: [], next: null });
    const until = await host.json(`/api/rejects?to=${newest.enqueuedAt}&from=${newest.enqueuedAt}`);
    assert.deepEqual(until.rejects[0], newest);
  });

  test("are a table for those who want one", async () => {
    const response = await host.get("/api/rejects?deviceId=alpha&format=csv&limit=2");
    assert.match(response.headers.get("content-type"), /^text\/csv/);
    assert.match(response.headers.get("x-next"), /^\d+~\d+~0~[0-9a-f]+\.\d\.x$/);
    const [head, ...rows] = (await response.text()).trimEnd().split("\n");
    assert.equal(head, "enqueuedAt,deviceId,reason,detail,hub,partition,sequence,index,count,cut,text");
    assert.equal(rows.length, 2);
    assert.ok(rows[1].endsWith(",false,'=HYPERLINK(1)"), rows[1]);
  });

  test("can be sent again, each as its device", async () => {
    await simulate(host, ["--replay-rejects", host.url, "--reject-device", "beta"]);
    const again = await poll("the rejects once more", async () => {
      const { rejects } = await host.json("/api/rejects?deviceId=beta");
      return rejects.length === 2 * BROKEN.length && rejects;
    });
    const texts = again.map(({ text }) => text).reverse();
    assert.deepEqual(texts, [...BROKEN, ...BROKEN]);
  });

  test("are asked for properly", async () => {
    for (const [query, parameter] of [
      ["limit=0", "limit"],
      ["after=x", "after"],
      ["from=2&to=1", "from"],
      ["device=d1", "device"],
      ["format=xml", "format"],
    ]) {
      const response = await host.get(`/api/rejects?${query}`);
      assert.equal(response.status, 400, query);
      assert.equal((await response.json()).error.parameter, parameter);
    }
  });
});

function placeOf({ hub, partition, sequence, index }) {
  return `${hub} ${partition} ${sequence} ${index}`;
}
