/**
 * The readings of one device over one range, kept up to date.
 *
 * Fetches the range, appends the rows offered to it, and fetches again what lies between. Knows
 * neither React nor SignalR; at most one request is under way, and none after `close`.
 */
import type { ApiClient, ReadingSpan } from "../api/client.ts";
import { describeFailure } from "../api/failure.ts";
import type { DeviceRow, Reading, ReadingSeries } from "../api/types.ts";
import { growSeries, mergeReadings, typicalInterval } from "./series.ts";

/** Shortest time between two fetches that fill gaps. */
export const REFILL_PAUSE_MS = 3_000;
/** Live messages leave devices out: after this long without news the feed asks for itself. */
const ASK_AFTER_MS = 10_000;
/** Slow devices are asked as seldom as they send, but no more seldom than this. */
const ASK_AFTER_MOST_MS = 60_000;

export interface FeedState {
  readonly readings: readonly Reading[];
  readonly loading: boolean;
  /** The range holds more readings than fit; the newest are here. */
  readonly truncated: boolean;
  readonly problem: string | null;
}

export const LOADING: FeedState = { readings: [], loading: true, truncated: false, problem: null };

export interface Feed {
  /** Takes the newest row of the device, in any order. */
  offer(row: DeviceRow): void;
  close(): void;
}

export interface FeedRequest {
  readonly client: ApiClient;
  readonly deviceId: string;
  readonly span: ReadingSpan;
  readonly onChange: (state: FeedState) => void;
}

export function openFeed(request: FeedRequest): Feed {
  const feed = new RunningFeed(request);
  void feed.fetchFirst();
  return feed;
}

class RunningFeed implements Feed {
  readonly #request: FeedRequest;
  readonly #closed = new AbortController();
  #state = LOADING;
  #newest: DeviceRow | null = null;
  #refilling = false;
  #askTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(request: FeedRequest) {
    this.#request = request;
  }

  offer(row: DeviceRow): void {
    if (this.#newest === null || row.timestamp > this.#newest.timestamp) {
      this.#newest = row;
      this.#grow();
    }
  }

  close(): void {
    this.#closed.abort();
    clearTimeout(this.#askTimer);
  }

  async fetchFirst(): Promise<void> {
    try {
      const { readings, truncated } = await this.#fetch(this.#request.span);
      this.#change({ readings, truncated, loading: false });
      this.#grow();
    } catch (thrown) {
      if (!this.#closed.signal.aborted) {
        this.#change({ loading: false, problem: describeFailure(thrown) });
      }
    }
  }

  /** Appends the newest row, or fetches what lies before it. */
  #grow(): void {
    const { readings, loading, problem } = this.#state;
    if (loading || problem !== null || this.#closed.signal.aborted) {
      return;
    }
    const growth = this.#newest === null ? null : growSeries(readings, this.#newest);
    if (growth?.kind === "gap") {
      void this.#refill(growth.from);
      return;
    }
    if (growth?.kind === "appended") {
      this.#change({ readings: growth.readings });
    }
    this.#askLater();
  }

  async #refill(from: number): Promise<void> {
    if (this.#refilling) {
      return;
    }
    this.#refilling = true;
    clearTimeout(this.#askTimer);
    // A failed fetch is tried again in the next turn; the header tells when the API is away.
    const series = await this.#fetch({ from }).catch(() => null);
    if (series !== null) {
      this.#change({ readings: mergeReadings(this.#state.readings, series.readings) });
    }
    await pause(REFILL_PAUSE_MS);
    this.#refilling = false;
    if (!this.#closed.signal.aborted) {
      this.#grow();
    }
  }

  #askLater(): void {
    const { readings } = this.#state;
    const last = readings.at(-1);
    if (this.#refilling || last === undefined) {
      return;
    }
    const interval = typicalInterval(readings) ?? 0;
    const wait = Math.min(ASK_AFTER_MOST_MS, Math.max(ASK_AFTER_MS, interval));
    clearTimeout(this.#askTimer);
    this.#askTimer = setTimeout(() => void this.#refill(last.timestamp), wait);
  }

  #fetch(span: ReadingSpan): Promise<ReadingSeries> {
    const { client, deviceId } = this.#request;
    return client.listReadings(deviceId, span, this.#closed.signal);
  }

  #change(part: Partial<FeedState>): void {
    if (!this.#closed.signal.aborted) {
      this.#state = { ...this.#state, ...part };
      this.#request.onChange(this.#state);
    }
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
