/**
 * Alerts of one filter, newest first: the first page kept fresh, older ones when asked for.
 *
 * Knows no screen; one request is under way at a time, and none after `close`. A page of the API may
 * be short or empty while more follow, so it asks on until something came.
 */
import type { AlertCalls, AlertFilter } from "../api/alerts.ts";
import { describeFailure } from "../api/failure.ts";
import type { Alert } from "../api/types.ts";
import { appendOlder, leavesGap, mergeNewest } from "./merge.ts";

/** Bounds the memory of the page. */
export const MOST_ALERTS = 2_000;
/** Empty pages to follow before the viewer is asked whether to go on. */
const MOST_EMPTY_PAGES = 5;

export interface FeedState {
  readonly alerts: readonly Alert[];
  readonly loading: boolean;
  /** There is more than is here, and room for it. */
  readonly more: boolean;
  readonly problem: string | null;
}

export const EMPTY: FeedState = { alerts: [], loading: true, more: false, problem: null };

export interface FeedRequest {
  readonly client: Pick<AlertCalls, "listAlerts">;
  readonly filter: AlertFilter;
  readonly onChange: (state: FeedState) => void;
}

export interface Feed {
  /** Looks at the newest again; asked for during a request, it follows it. */
  refresh(): void;
  /** Asks for older ones. */
  more(): void;
  close(): void;
}

export function openFeed(request: FeedRequest): Feed {
  const feed = new RunningFeed(request);
  feed.refresh();
  return feed;
}

class RunningFeed implements Feed {
  readonly #request: FeedRequest;
  readonly #closed = new AbortController();
  #state: FeedState = EMPTY;
  #busy = false;
  #refreshWanted = false;
  /** Where the oldest page ended. */
  #next: string | null = null;
  #hasOlder = false;

  constructor(request: FeedRequest) {
    this.#request = request;
  }

  refresh(): void {
    if (this.#busy) {
      this.#refreshWanted = true;
    } else {
      void this.#run(() => this.#loadNewest());
    }
  }

  more(): void {
    if (!this.#busy) {
      this.#change({ loading: true });
      void this.#run(() => this.#loadOlder());
    }
  }

  close(): void {
    this.#closed.abort();
  }

  async #run(load: () => Promise<void>): Promise<void> {
    this.#busy = true;
    try {
      await load();
      this.#change({ loading: false, problem: null });
    } catch (thrown) {
      this.#change({ loading: false, problem: describeFailure(thrown) });
    } finally {
      this.#busy = false;
    }
    if (this.#refreshWanted && !this.#closed.signal.aborted) {
      this.#refreshWanted = false;
      this.refresh();
    }
  }

  async #loadNewest(): Promise<void> {
    const { client, filter } = this.#request;
    const page = await client.listAlerts(filter, null, this.#closed.signal);
    const isTorn = leavesGap(this.#state.alerts, page);
    this.#hasOlder &&= !isTorn;
    const alerts = mergeNewest(isTorn ? [] : this.#state.alerts, page);
    // Older pages stay as they are, so the list still ends where the oldest of them did.
    if (!this.#hasOlder || page.next === null) {
      this.#next = page.next;
    }
    this.#show(alerts);
    if (alerts.length === 0 && this.#next !== null) {
      await this.#loadOlder();
    }
  }

  async #loadOlder(): Promise<void> {
    const { client, filter } = this.#request;
    const before = this.#state.alerts.length;
    for (let page = 0; page < MOST_EMPTY_PAGES && this.#next !== null; page += 1) {
      const older = await client.listAlerts(filter, this.#next, this.#closed.signal);
      // A cursor that stands still would ask for the same page for ever.
      this.#next = older.next === this.#next ? null : older.next;
      this.#hasOlder = true;
      this.#show(appendOlder(this.#state.alerts, older));
      if (this.#state.alerts.length > before) {
        return;
      }
    }
  }

  #show(alerts: readonly Alert[]): void {
    const shown = alerts.slice(0, MOST_ALERTS);
    this.#change({ alerts: shown, more: this.#next !== null && shown.length < MOST_ALERTS });
  }

  #change(part: Partial<FeedState>): void {
    if (!this.#closed.signal.aborted) {
      this.#state = { ...this.#state, ...part };
      this.#request.onChange(this.#state);
    }
  }
}
