/**
 * One stretch of watching the fleet with one API key: joins polls and live messages into a
 * snapshot that the page can subscribe to.
 *
 * Stops by itself at a 401; the page then starts another session with another key. Decides nothing
 * about rows (`fleet.ts`) or claims (`link.ts`).
 */
import type { ApiClient } from "../api/client.ts";
import { ApiFailure, describeFailure } from "../api/failure.ts";
import type { DeviceRow, LiveUpdate, Summary } from "../api/types.ts";
import {
  bringsNews,
  EMPTY_FLEET,
  type Fleet,
  mergeListing,
  mergeUpdate,
  statusesDiffer,
} from "./fleet.ts";
import type { HubListener } from "./hub.ts";
import { type Link, type LinkEvent, NEW_LINK, nextLink, pollInterval } from "./link.ts";

const TICK_MS = 1_000;
/** Several handlers may send in the same moment; the page draws them together. */
const DRAW_PAUSE_MS = 200;
/** Shortest time between two questions for the counts. */
const SUMMARY_PAUSE_MS = 3_000;

export interface Snapshot {
  readonly fleet: Fleet;
  readonly link: Link;
  readonly summary: Summary | null;
  /** Why the last poll failed, or `null`. */
  readonly problem: string | null;
  /** Grows whenever alerts, or what people decided about them, may have changed. */
  readonly alertNews: number;
}

export interface Session {
  subscribe(listener: () => void): () => void;
  getSnapshot(): Snapshot;
  /** Polls now instead of at the next turn. */
  refresh(): void;
  stop(): void;
}

/** What a session needs from outside; `now` is in milliseconds. */
export interface SessionPorts {
  readonly client: ApiClient;
  readonly openHub: (listener: HubListener) => () => void;
  readonly now: () => number;
}

export function startSession(ports: SessionPorts): Session {
  const session = new RunningSession(ports);
  session.start();
  return session;
}

class RunningSession implements Session {
  readonly #ports: SessionPorts;
  readonly #listeners = new Set<() => void>();
  readonly #stopped = new AbortController();
  #snapshot: Snapshot = {
    fleet: EMPTY_FLEET,
    link: NEW_LINK,
    summary: null,
    problem: null,
    alertNews: 0,
  };
  #drawTimer: ReturnType<typeof setTimeout> | null = null;
  #polling = false;
  #polledAt = Number.NEGATIVE_INFINITY;
  #countsStale = false;
  #countedAt = Number.NEGATIVE_INFINITY;

  constructor(ports: SessionPorts) {
    this.#ports = ports;
  }

  start(): void {
    const closeHub = this.#ports.openHub({
      onConnected: () => this.#note({ type: "hub-connected", at: this.#ports.now() }),
      onLost: () => this.#note({ type: "hub-lost" }),
      onAttemptFailed: () => this.#note({ type: "hub-attempt-failed" }),
      onUnauthorized: () => this.#signOut(),
      onUpdate: (update) => this.#receive(update),
      onPeople: () => this.#noteAlerts(),
    });
    const ticker = setInterval(() => this.#tick(), TICK_MS);
    this.#stopped.signal.addEventListener("abort", () => {
      closeHub();
      clearInterval(ticker);
    });
    this.#tick();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  getSnapshot = (): Snapshot => this.#snapshot;

  refresh(): void {
    this.#polledAt = Number.NEGATIVE_INFINITY;
    this.#tick();
  }

  stop(): void {
    this.#stopped.abort();
  }

  #tick(): void {
    if (this.#polling || this.#stopped.signal.aborted) {
      return;
    }
    const now = this.#ports.now();
    if (now - this.#polledAt >= pollInterval(this.#snapshot.link, now)) {
      void this.#poll();
    } else if (this.#countsStale && now - this.#countedAt >= SUMMARY_PAUSE_MS) {
      void this.#count();
    }
  }

  async #poll(): Promise<void> {
    const before = this.#snapshot.fleet;
    const { client, now } = this.#ports;
    this.#polling = true;
    this.#polledAt = now();
    this.#countedAt = now();
    this.#countsStale = false;
    const [listing, counts] = await Promise.allSettled([
      client.listDevices(this.#stopped.signal),
      client.getSummary(this.#stopped.signal),
    ]);
    this.#polling = false;
    if (this.#stopped.signal.aborted) {
      return;
    }
    if (counts.status === "fulfilled") {
      this.#change({ summary: counts.value });
    }
    if (listing.status === "fulfilled") {
      this.#acceptListing(listing.value, before);
    }
    const failed = [listing, counts].find((part) => part.status === "rejected");
    if (failed === undefined) {
      this.#change({ problem: null });
    } else {
      this.#fail(failed.reason);
    }
    if (listing.status === "rejected") {
      this.#note({ type: "poll-failed" });
    }
  }

  #acceptListing(rows: readonly DeviceRow[], before: Fleet): void {
    const { fleet } = this.#snapshot;
    const foundNews = bringsNews(fleet, rows);
    // What no live message told is found by asking now and then.
    this.#noteAlerts({ counted: true });
    this.#change({ fleet: mergeListing(fleet, rows, before) });
    this.#note({ type: "poll-ok", at: this.#ports.now(), foundNews });
  }

  async #count(): Promise<void> {
    this.#polling = true;
    this.#countedAt = this.#ports.now();
    this.#countsStale = false;
    try {
      this.#change({ summary: await this.#ports.client.getSummary(this.#stopped.signal) });
    } catch (thrown) {
      if (!this.#stopped.signal.aborted) {
        this.#fail(thrown);
      }
    } finally {
      this.#polling = false;
    }
  }

  #receive({ devices: rows, alertsChanged }: LiveUpdate): void {
    if (this.#stopped.signal.aborted) {
      return;
    }
    if (alertsChanged) {
      this.#noteAlerts();
    }
    const before = this.#snapshot.fleet;
    const fleet = mergeUpdate(before, rows);
    if (statusesDiffer(before, fleet, rows)) {
      this.#countsStale = true;
    }
    this.#change({ fleet });
    this.#note({ type: "update", at: this.#ports.now() });
  }

  #noteAlerts({ counted } = { counted: false }): void {
    this.#countsStale = this.#countsStale || !counted;
    this.#change({ alertNews: this.#snapshot.alertNews + 1 });
  }

  #fail(thrown: unknown): void {
    if (thrown instanceof ApiFailure && thrown.kind === "unauthorized") {
      this.#signOut();
      return;
    }
    this.#change({ problem: describeFailure(thrown) });
  }

  #signOut(): void {
    this.#change({ problem: null });
    this.#note({ type: "unauthorized" });
    this.stop();
  }

  #note(event: LinkEvent): void {
    this.#change({ link: nextLink(this.#snapshot.link, event) });
  }

  #change(part: Partial<Snapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...part };
    this.#drawTimer ??= setTimeout(() => {
      this.#drawTimer = null;
      for (const listener of this.#listeners) {
        listener();
      }
    }, DRAW_PAUSE_MS);
  }
}
