/** Rejected events in a table, newest first: why, whose, and what was sent. */
import { useEffect, useRef, useState } from "react";
import type { ApiClient, RejectFilter } from "../api/client.ts";
import { EMPTY, type Listing, openListing } from "./listing.ts";
import { RejectFilters } from "./RejectFilters.tsx";
import { RejectRow } from "./RejectRow.tsx";

export interface RejectsViewProps {
  readonly client: ApiClient;
  readonly hrefOf: (deviceId: string) => string;
}

const NO_FILTER: RejectFilter = { deviceId: "", reason: "" };

export function RejectsView({ client, hrefOf }: RejectsViewProps) {
  const [filter, setFilter] = useState(NO_FILTER);
  const [attempt, setAttempt] = useState(0);
  const { state, more } = useListing(client, filter, attempt);
  const { rejects, loading, problem } = state;
  return (
    <section className="rejects" aria-label="Rejected events">
      <RejectFilters
        filter={filter}
        onFilter={setFilter}
        onRefresh={() => setAttempt(attempt + 1)}
      />
      <div className="rejects-scroller">
        {rejects.length === 0 ? null : (
          <table className="reject-table" aria-label="Rejects">
            <thead>
              <tr>
                <th>Taken in</th>
                <th>Device</th>
                <th>Reason</th>
                <th>Event</th>
              </tr>
            </thead>
            <tbody>
              {rejects.map((reject) => (
                <RejectRow
                  key={`${reject.hub} ${reject.partition} ${reject.sequence} ${reject.index}`}
                  reject={reject}
                  hrefOf={hrefOf}
                />
              ))}
            </tbody>
          </table>
        )}
        {problem === null ? null : (
          <p className="notice" role="alert">
            The rejects could not be loaded: {problem}.{" "}
            <button type="button" className="link" onClick={more}>
              Try again
            </button>
          </p>
        )}
        <Ending state={state} onMore={more} />
        {loading ? (
          <p className="nothing" role="status">
            Loading rejects…
          </p>
        ) : null}
      </div>
    </section>
  );
}

interface EndingProps {
  readonly state: typeof EMPTY;
  readonly onMore: () => void;
}

function Ending({ state, onMore }: EndingProps) {
  const { rejects, loading, more, full, problem } = state;
  if (loading || problem !== null) {
    return null;
  }
  if (more) {
    return (
      <p className="nothing">
        <button type="button" className="quiet-button" onClick={onMore}>
          Show older
        </button>
      </p>
    );
  }
  if (full) {
    return <p className="nothing">There are older ones: narrow the list down to see them.</p>;
  }
  return rejects.length > 0 ? null : (
    <p className="nothing">No rejected events: all that arrived was understood.</p>
  );
}

/** `attempt` grows with each refresh that the viewer asks for. */
function useListing(client: ApiClient, filter: RejectFilter, attempt: number) {
  const [state, setState] = useState(EMPTY);
  const listing = useRef<Listing | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each attempt is a new listing
  useEffect(() => {
    setState(EMPTY);
    const opened = openListing({ client, filter, onChange: setState });
    listing.current = opened;
    return () => opened.close();
  }, [client, filter, attempt]);
  return { state, more: () => listing.current?.more() };
}
