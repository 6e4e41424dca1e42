/**
 * Starts and stops what a test needs: a local host with the staged app, the simulator, free ports,
 * temporary folders.
 *
 * `E2E_LOG` names a file that all programs' output is added to.
 * Everything started here ends with the test file, whether its tests pass or fail. Tests wait by
 * `poll` alone; nothing here knows what is being tested.
 */
import { spawn } from "node:child_process";
import { appendFileSync, existsSync } from "node:fs";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const TARGET = join(ROOT, "target");
/** The staged app; `APP` names another one. */
export const APP = process.env.APP || join(TARGET, "app");

const AZURITE = join(ROOT, "tools/local-host/node_modules/.bin/azurite-blob");

/** Generous: a busy machine must not fail a test. */
const PATIENCE_MS = 60_000;
/** The local host gives calls in flight ten seconds. */
const STOP_MS = 15_000;
/** Characters of a program's output that are kept for complaints. */
const OUTPUT_CHARS = 16_000;

const running = new Set();
const folders = [];
const closers = [];

after(cleanUp);
process.once("exit", killAll);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.once(signal, () => process.exit(1));
}

/** Calls `attempt` until it returns something true; what it throws meanwhile is told at the end. */
export async function poll(what, attempt, patienceMs = PATIENCE_MS) {
  const deadline = Date.now() + patienceMs;
  let last = "";
  for (;;) {
    try {
      const result = await attempt();
      if (result) {
        return result;
      }
      last = `got ${JSON.stringify(result)}`;
    } catch (error) {
      if (error.fatal) {
        throw error;
      }
      last = error.message;
    }
    if (Date.now() > deadline) {
      throw new Error(`waited ${patienceMs / 1000} s for ${what}: ${last}`);
    }
    await pause(50);
  }
}

/** A folder that is removed at the end, unless `E2E_KEEP` is set. */
export async function temporaryFolder() {
  const folder = await mkdtemp(join(tmpdir(), "anomaly-e2e-"));
  folders.push(folder);
  return folder;
}

/** Calls `close` when the tests of this file are over, before programs are stopped. */
export function atEnd(close) {
  closers.push(close);
}

/** Starts the staged app under a local host and waits until it answers. */
export async function startHost(options = {}) {
  const { env = {}, partitions = 4, data = await temporaryFolder(), arguments: extra = [] } = options;
  const [port, cosmosPort, signalrPort] = await freePorts(3);
  const program = start(join(TARGET, "release", "local-host"), {
    arguments: [
      ...["--script-root", APP, "--data", data, "--port", port],
      ...["--cosmos-port", cosmosPort, "--signalr-port", signalrPort, "--partitions", partitions],
      ...extra,
    ].map(String),
    env: { ...SETTINGS, ...env },
  });
  const host = new Host(program, { data, port, cosmosPort });
  await poll("the local host", async () => program.mustRun() && (await host.get("/")).status === 200);
  return host;
}

/** Arguments that give the app a Blob service of its own; none where Azurite is not installed. */
export function azuriteArguments() {
  return existsSync(AZURITE) ? ["--azurite", AZURITE] : [];
}

/** Settings that the tests rely on, whatever a developer's own file says. */
const SETTINGS = {
  ALLOW_ANONYMOUS: "true",
  API_KEY: "",
  BUCKETS_PER_PARTITION: "2",
  DETECTION_POLICY: "calibrated",
  FIXED_THRESHOLD: "0.01",
  LOG_LEVEL: "info",
  MAIL_TO: "",
};

/** A running local host, seen from outside. */
class Host {
  constructor(program, { data, port, cosmosPort }) {
    this.program = program;
    this.data = data;
    this.url = `http://127.0.0.1:${port}`;
    this.cosmosEndpoint = `http://127.0.0.1:${cosmosPort}/`;
  }

  get(path, headers = {}) {
    return fetch(this.url + path, { headers, signal: AbortSignal.timeout(30_000) });
  }

  /** Answers a GET's JSON; any other status than 200 is an error. */
  async json(path, headers = {}) {
    const response = await this.get(path, headers);
    const text = await response.text();
    if (response.status !== 200) {
      throw new Error(`GET ${path}: ${response.status} ${text}`);
    }
    return JSON.parse(text);
  }

  post(path, body, headers = {}) {
    return fetch(this.url + path, { method: "POST", body, headers, signal: AbortSignal.timeout(30_000) });
  }

  /** Sends a message as a device does by HTTPS, and answers the response. */
  send(deviceId, message, headers = {}) {
    const body = typeof message === "string" ? message : JSON.stringify(message);
    const path = `/devices/${encodeURIComponent(deviceId)}/messages/events?api-version=2020-03-13`;
    return this.post(path, body, headers);
  }

  /** Sends a message that must be taken. */
  async sendOk(deviceId, message) {
    const response = await this.send(deviceId, message);
    if (response.status !== 204) {
      throw new Error(`a message of ${deviceId}: ${response.status} ${await response.text()}`);
    }
  }

  /** Orders how services behave and what befalls calls and batches, in place of all orders before. */
  setFaults(faults) {
    return this.#order("PUT", faults);
  }

  /** Orders one more fault, which happens once. */
  addFault(fault) {
    return this.#order("POST", fault);
  }

  async #order(method, faults) {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify(faults);
    const response = await fetch(`${this.url}/local-host/faults`, { method, headers, body });
    if (!response.ok) {
      throw new Error(`faults ${body}: ${response.status} ${await response.text()}`);
    }
  }

  /** Process ids of the local host's children: the handler, or none while it restarts. */
  handlerPids() {
    return childrenOf(this.program.pid);
  }

  /** Ends as with Ctrl-C, and waits for it. */
  stop() {
    return this.program.stop();
  }

  /** Ends without warning, and waits for it. */
  kill() {
    return this.program.kill();
  }
}

/** Runs the simulator against a host until it ends by itself; complains unless it ended well. */
export async function simulate(host, args, patienceMs = 180_000) {
  const program = start(join(TARGET, "release", "simulator"), {
    arguments: ["--target", "local", "--url", host.url, ...args].map(String),
  });
  await poll("the simulator's end", () => program.ended, patienceMs);
  if (program.code !== 0) {
    throw new Error(`the simulator ended with ${program.code}:\n${program.output}`);
  }
}

/** Whether a process is there and not merely waiting for its parent to take note of its end. */
export async function isAlive(pid) {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  return stat !== null && stat.slice(stat.lastIndexOf(")") + 2)[0] !== "Z";
}

/** The children started by any thread: Linux lists them a thread. */
async function childrenOf(pid) {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map((tid) => readFile(`/proc/${pid}/task/${tid}/children`, "utf8").catch(() => "")),
  );
  return lists.flatMap((list) => list.split(" ").filter(Boolean).map(Number));
}

class Program {
  constructor(child, name) {
    this.child = child;
    this.name = name;
    this.pid = child.pid;
    this.output = "";
    this.ended = false;
    this.code = null;
  }

  mustRun() {
    if (this.ended) {
      const error = new Error(`${this.name} ended with ${this.code}:\n${this.output}`);
      error.fatal = true;
      throw error;
    }
    return true;
  }

  async stop() {
    this.child.kill("SIGINT");
    try {
      await poll(`the end of ${this.name}`, () => this.ended, STOP_MS);
    } finally {
      await this.kill();
    }
  }

  async kill() {
    this.child.kill("SIGKILL");
    await poll(`the end of ${this.name}`, () => this.ended, STOP_MS);
  }
}

export function start(path, { arguments: args, env = {} }) {
  const { PATH, HOME, TMPDIR = tmpdir() } = process.env;
  const child = spawn(path, args, {
    env: { PATH, HOME, TMPDIR, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const program = new Program(child, path);
  const keep = (chunk) => {
    program.output = (program.output + chunk).slice(-OUTPUT_CHARS);
    if (process.env.E2E_LOG) {
      appendFileSync(process.env.E2E_LOG, chunk);
    }
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const end = (code) => {
    program.ended = true;
    program.code = code;
    running.delete(program);
  };
  child.on("exit", (code, signal) => end(code ?? signal));
  child.on("error", (error) => end(error.message));
  running.add(program);
  return program;
}

/** Ports that were free a moment ago, all different. */
export async function freePorts(n) {
  const servers = await Promise.all(Array.from({ length: n }, listen));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

function listen() {
  return new Promise((done, fail) => {
    const server = createServer();
    server.on("error", fail);
    server.listen(0, "127.0.0.1", () => done(server));
  });
}

async function cleanUp() {
  for (const close of closers.reverse()) {
    await close();
  }
  await Promise.all([...running].map((program) => program.kill()));
  if (!process.env.E2E_KEEP) {
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
  }
}

/** The last resort: a handler notices by itself that its host is gone. */
function killAll() {
  for (const program of running) {
    program.child.kill("SIGKILL");
  }
}
