/**
 * Reads the stored documents with the unmodified Cosmos DB client and decodes them, independently of
 * the handler's own code.
 */
import { CosmosClient } from "@azure/cosmos";

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

/** All stored readings, each position once; times in epoch milliseconds. */
export async function storedReadings(host) {
  return readingsIn(await documentsOf(host, "results"));
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
