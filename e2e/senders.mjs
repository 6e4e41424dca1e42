/**
 * Handlers without a host of their own that tell people about alerts: as many as a test wants, all on one account.
 *
 * A test fires their timers and kills them at will; the account is that of a local host that sends nothing itself.
 */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { documentsIn, resultsContainer } from "./documents.mjs";
import { APP, freePorts, poll, start, startHost } from "./harness.mjs";

/** The local host of a test whose account the handlers share. */
export function startAccount() {
  return startHost({ partitions: 1, env: { MAIL_TO: "", MAIL_TO_CRITICAL: "", WEBHOOK_URL: "" } });
}

/** Starts a handler with settings of its own. */
export async function startSender(host, env) {
  const [port] = await freePorts(1);
  const { Values } = JSON.parse(readFileSync(join(APP, "local.settings.json"), "utf8"));
  const program = start(join(APP, "handler"), {
    arguments: [],
    env: {
      ...Values,
      CosmosDBConnection: `AccountEndpoint=${host.cosmosEndpoint};AccountKey=bG9jYWw=;`,
      FUNCTIONS_CUSTOMHANDLER_PORT: String(port),
      FUNCTIONS_APP_ROOT_PATH: APP,
      AZURE_COSMOS_BINARY_ENCODING_ENABLED: "false",
      MAIL_FROM: "Temperatures <alerts@example.com>",
      MAIL_TO: "anna@example.com",
      MAIL_TO_CRITICAL: "",
      DASHBOARD_URL: "http://127.0.0.1:7071",
      ...env,
    },
  });
  const sender = new Sender(program, port);
  await poll("a handler", async () => program.mustRun() && (await fetch(`${sender.url}/`)).ok);
  return sender;
}

class Sender {
  constructor(program, port) {
    this.program = program;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Fires a timer as the host does; the answer's status, or null when the handler ended meanwhile. */
  async fire(name = "send_alerts") {
    const at = new Date().toISOString();
    const timer = {
      Schedule: { AdjustForDST: true },
      ScheduleStatus: { Last: at, Next: at, LastUpdated: at },
      IsPastDue: false,
    };
    const response = await fetch(`${this.url}/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json", "X-Azure-Functions-InvocationId": randomUUID() },
      body: JSON.stringify({ Data: { timer }, Metadata: { sys: { MethodName: name } } }),
    }).catch(() => null);
    return response?.status ?? null;
  }

  kill() {
    return this.program.kill();
  }
}

let nAlerts = 0;

/** Stores a step of an alert as scoring does. */
export async function storeStep(host, fields = {}) {
  nAlerts += 1;
  const { alertId = `a.0.0.${nAlerts}.0.spike`, step = "opened", deviceId = `freezer-${nAlerts}`, ...rest } = fields;
  const at = Date.now() - 60_000;
  const document = {
    id: `alert-${alertId}-${step}`,
    type: "alert",
    bucket: "a.0.0",
    version: 1,
    ttl: 31_536_000,
    alertId,
    step,
    deviceId,
    kind: "spike",
    channel: "fast-change",
    severity: "critical",
    learning: false,
    beganAt: at,
    openedAt: at,
    at,
    enqueuedAt: at,
    temperature: -8.5,
    expected: -18.2,
    score: 6.2,
    peakScore: 6.2,
    readings: [[at, -8.5]],
    ...rest,
  };
  await resultsContainer(host).items.upsert(document);
  return document;
}

/** Stores tables that say when each partition of a hub was heard last, by the partition's name. */
export async function storeHeard(host, times) {
  for (const [partition, enqueuedTo] of Object.entries(times)) {
    const deviceId = `lobby-${partition}`;
    await resultsContainer(host).items.upsert({
      id: "devices-0",
      type: "devices",
      bucket: `b.${partition}.0`,
      hub: "telemetry",
      partition,
      epoch: 0,
      term: 0,
      writer: "w",
      version: 1,
      firstSequence: 1,
      lastSequence: enqueuedTo,
      enqueuedTo,
      ttl: 2_592_000,
      columns: ["timestamp", "temperature", "expected", "error", "score", "flags", "lastAnomaly", "alert", "arrived", "allowance"],
      devices: { [deviceId]: [enqueuedTo, 21.5, null, null, null, 0, null, null, enqueuedTo, 900_000] },
    });
  }
}

/** All notifications. */
export function notificationsOf(host) {
  return documentsIn(host, "notifications", "notification");
}

/** Lets so many milliseconds pass for what is claimed, or waits, as if they had gone by since. */
export async function age(host, milliseconds) {
  const { items } = resultsContainer(host);
  for (const document of await notificationsOf(host)) {
    await items.upsert({
      ...document,
      createdAt: document.createdAt,
      claimedAt: document.claimedAt - milliseconds,
      nextAttemptAt: document.nextAttemptAt - milliseconds,
    });
  }
}
