/**
 * Rejects of one filter, page by page, newest first.
 *
 * Knows no screen; one request is under way at a time, and none after `close`. A page of the API may
 * be short or empty while more follow, so it asks on until something came.
 */
import type { ApiClient, RejectFilter } from "../api/client.ts";
import { describeFailure } from "../api/failure.ts";
import type { Reject } from "../api/types.ts";

/** Bounds the memory of the page: rejects hold up to 16 KB of text each. */
export const MOST_REJECTS = 1_000;
/** Empty pages to follow before the viewer is asked whether to go on. */
const MOST_EMPTY_PAGES = 5;

export interface ListingState {
  readonly rejects: readonly Reject[];
  readonly loading: boolean;
  /** There is more than is here, and room for it. */
  readonly more: boolean;
  /** There is more, and no room for it. */
  readonly full: boolean;
  readonly problem: string | null;
}

export const EMPTY: ListingState = {
  rejects: [],
  loading: true,
  more: false,
  full: false,
  problem: null,
};

export interface ListingRequest {
  readonly client: Pick<ApiClient, "listRejects">;
  readonly filter: RejectFilter;
  readonly onChange: (state: ListingState) => void;
}

export interface Listing {
  /** Asks for older ones, or again after a failure. */
  more(): void;
  close(): void;
}

export function openListing(request: ListingRequest): Listing {
  const listing = new RunningListing(request);
  listing.more();
  return listing;
}

class RunningListing implements Listing {
  readonly #request: ListingRequest;
  readonly #closed = new AbortController();
  #state: ListingState = { ...EMPTY, loading: false };
  #next: string | null = null;

  constructor(request: ListingRequest) {
    this.#request = request;
  }

  more(): void {
    if (!this.#state.loading) {
      this.#change({ loading: true, problem: null });
      void this.#load();
    }
  }

  close(): void {
    this.#closed.abort();
  }

  async #load(): Promise<void> {
    try {
      const before = this.#state.rejects.length;
      for (let page = 0; page < MOST_EMPTY_PAGES; page += 1) {
        await this.#loadPage();
        if (this.#next === null || this.#state.rejects.length > before) {
          break;
        }
      }
      this.#change({ loading: false });
    } catch (thrown) {
      this.#change({ loading: false, problem: describeFailure(thrown) });
    }
  }

  async #loadPage(): Promise<void> {
    const { client, filter } = this.#request;
    const page = await client.listRejects(filter, this.#next, this.#closed.signal);
    const rejects = [...this.#state.rejects, ...page.rejects].slice(0, MOST_REJECTS);
    // A cursor that stands still would ask for the same page for ever.
    this.#next = page.next === this.#next ? null : page.next;
    const full = rejects.length === MOST_REJECTS;
    const left = this.#next !== null;
    this.#change({ rejects, more: left && !full, full: left && full });
  }

  #change(part: Partial<ListingState>): void {
    if (!this.#closed.signal.aborted) {
      this.#state = { ...this.#state, ...part };
      this.#request.onChange(this.#state);
    }
  }
}
