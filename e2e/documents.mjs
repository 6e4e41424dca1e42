/**
 * Reads the stored documents with the unmodified Cosmos DB client and decodes them, independently of
 * the handler's own code.
 */
import assert from "node:assert/strict";
import { CosmosClient } from "@azure/cosmos";
import { poll } from "./harness.mjs";

/** Any key does: the local account checks none. */
const KEY = Buffer.from("end-to-end tests").toString("base64");

export function resultsContainer(host) {
  const client = new CosmosClient({ endpoint: host.cosmosEndpoint, key: KEY });
  return client.database("AnomalyDB").container("Results");
}

/** All documents of a type, across buckets. */
export async function documentsOf(host, type) {
  const query = {
    query: "SELECT * FROM c WHERE c.type = @type",
    parameters: [{ name: "@type", value: type }],
  };
  const { resources } = await resultsContainer(host).items.query(query).fetchAll();
  return resources;
}

/** Names of all groups of devices that have documents. */
export async function bucketsOf(host) {
  const query = "SELECT VALUE c.bucket FROM c WHERE c.type = 'devices'";
  const { resources } = await resultsContainer(host).items.query(query).fetchAll();
  return [...new Set(resources)];
}

/** All documents of a type in one group of devices. */
export async function documentsIn(host, bucket, type) {
  const query = {
    query: "SELECT * FROM c WHERE c.type = @type",
    parameters: [{ name: "@type", value: type }],
  };
  const { resources } = await resultsContainer(host).items.query(query, { partitionKey: bucket }).fetchAll();
  return resources;
}

/** All stored readings, each position once; times in epoch milliseconds. */
export async function storedReadings(host) {
  return readingsIn(await documentsOf(host, "results"));
}

/** Waits until all readings that were sent are stored; each must be there once, and nothing else. */
export async function assertStored(host, sent) {
  const stored = await poll("all readings to be stored", async () => {
    host.program.mustRun();
    const readings = await storedReadings(host);
    return readings.length >= sent.length && readings;
  });
  assert.deepEqual(stored.map(identityOf).sort(), sent.map(identityOf).sort());
}

/** The readings of results documents: where documents overlap, the one of higher rank counts. */
export function readingsIn(documents) {
  const readings = [];
  const byBucket = new Map();
  for (const document of documents) {
    byBucket.set(document.bucket, [...(byBucket.get(document.bucket) ?? []), document]);
  }
  for (const document of documents) {
    const rivals = byBucket.get(document.bucket).filter((other) => outranks(other, document));
    for (const [deviceId, rows] of Object.entries(document.readings)) {
      for (const row of rows) {
        const reading = decode(document, deviceId, row);
        if (!rivals.some((other) => speaksFor(other, reading.sequence))) {
          readings.push(reading);
        }
      }
    }
  }
  return readings;
}

function decode(document, deviceId, row) {
  const named = Object.fromEntries(document.columns.map((column, n) => [column, row[n]]));
  return {
    ...named,
    deviceId,
    bucket: document.bucket,
    sequence: document.firstSequence + named.sequence,
    timestamp: document.from + named.timestamp,
    anomaly: named.score !== null && named.score > 1,
  };
}

function speaksFor({ firstSequence, lastSequence }, sequence) {
  return firstSequence <= sequence && sequence <= lastSequence;
}

/** Whether a document of the same bucket counts in place of another wherever both speak. */
function outranks(other, document) {
  const overlaps =
    other.firstSequence <= document.lastSequence && document.firstSequence <= other.lastSequence;
  return overlaps && ranksAbove(other, document);
}

function ranksAbove(one, other) {
  if (one.term !== other.term) {
    return one.term > other.term;
  }
  if (one.writer !== other.writer) {
    return one.writer > other.writer;
  }
  return one.id > other.id;
}

/** What a reading is, apart from where it is stored; to be compared with what was sent. */
export function identityOf({ deviceId, timestamp, temperature }) {
  return `${deviceId} ${timestamp} ${temperature}`;
}
