/**
 * The readings of one device over one range, kept up to date.
 *
 * Fetches the range, appends the rows offered to it, and fetches again what lies between. Knows
 * neither React nor SignalR; at most one request is under way, and none after `close`.
 */
import type { ApiClient, ReadingSpan } from "../api/client.ts";
import { describeFailure } from "../api/failure.ts";
import type { DeviceRow, Reading, ReadingSeries } from "../api/types.ts";
import { growSeries, mergeReadings } from "./series.ts";

/** Shortest time between two fetches that fill gaps. */
export const REFILL_PAUSE_MS = 3_000;

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
  const { client, deviceId, onChange } = request;
  const closed = new AbortController();
  let state = LOADING;
  let newest: DeviceRow | null = null;
  let refillTimer: ReturnType<typeof setTimeout> | null = null;

  function change(part: Partial<FeedState>): void {
    state = { ...state, ...part };
    onChange(state);
  }

  async function fetchFirst(): Promise<void> {
    try {
      const series = await client.listReadings(deviceId, request.span, closed.signal);
      change({ readings: series.readings, truncated: series.truncated, loading: false });
      grow();
    } catch (thrown) {
      if (!closed.signal.aborted) {
        change({ loading: false, problem: describeFailure(thrown) });
      }
    }
  }

  function grow(): void {
    if (newest === null || state.loading || state.problem !== null || refillTimer !== null) {
      return;
    }
    const growth = growSeries(state.readings, newest);
    if (growth.kind === "appended") {
      change({ readings: growth.readings });
    } else if (growth.kind === "gap") {
      void refill(growth.from);
    }
  }

  async function refill(from: number): Promise<void> {
    // The timer also keeps others out while this fetch is under way.
    const pause = new Promise<void>((resolve) => {
      refillTimer = setTimeout(resolve, REFILL_PAUSE_MS);
    });
    const series: ReadingSeries | null = await client
      .listReadings(deviceId, { from }, closed.signal)
      // The next turn tries again; the header tells when the API is away.
      .catch(() => null);
    if (closed.signal.aborted) {
      return;
    }
    if (series !== null) {
      change({ readings: mergeReadings(state.readings, series.readings) });
    }
    await pause;
    refillTimer = null;
    grow();
  }

  void fetchFirst();
  return {
    offer(row) {
      if (newest === null || row.timestamp > newest.timestamp) {
        newest = row;
        grow();
      }
    },
    close() {
      closed.abort();
      if (refillTimer !== null) {
        clearTimeout(refillTimer);
      }
    },
  };
}
