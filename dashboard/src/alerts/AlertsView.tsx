/** Alerts, newest first: filters, the list, and what is done with several at once. */
import { useState } from "react";
import type { AlertFilter } from "../api/alerts.ts";
import type { ApiClient } from "../api/client.ts";
import type { AcknowledgeResult, Alert } from "../api/types.ts";
import { formatCount } from "../format/numbers.ts";
import { AlertFilters } from "./AlertFilters.tsx";
import { AlertRow } from "./AlertRow.tsx";
import { describeRefusals } from "./refusals.ts";
import { type Signature, StatementForm } from "./StatementForm.tsx";
import { useAct } from "./useAct.ts";
import { useFeed } from "./useFeed.ts";

/** As the API bounds one act. */
const MOST_SELECTED = 1_000;

export interface AlertsViewProps {
  readonly client: ApiClient;
  readonly filter: AlertFilter;
  readonly onFilter: (filter: AlertFilter) => void;
  readonly chosenId: string | null;
  readonly hrefOf: (alertId: string) => string;
  readonly mutesHref: string;
  /** Another number means that alerts may have changed. */
  readonly news: number;
  readonly now: number;
  readonly signature: Signature;
  readonly onActed: () => void;
}

export function AlertsView(props: AlertsViewProps) {
  const { client, filter, onFilter, chosenId, hrefOf, mutesHref, news, now } = props;
  const { state, more, refresh } = useFeed(client, filter, news);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [refusals, setRefusals] = useState<string | null>(null);
  const { alerts, loading, problem } = state;
  const waiting = alerts.filter((alert) => alert.state === "open" && alert.acknowledged === null);
  const chosen = waiting.filter(({ alertId }) => selected.has(alertId)).slice(0, MOST_SELECTED);

  function select(alertId: string, isSelected: boolean): void {
    const next = new Set(selected);
    if (isSelected) {
      next.add(alertId);
    } else {
      next.delete(alertId);
    }
    setSelected(next);
  }

  return (
    <section className="fleet alerts" aria-label="Alerts">
      <AlertFilters filter={filter} onFilter={onFilter} mutesHref={mutesHref} />
      <BulkBar
        {...props}
        waiting={waiting}
        chosen={chosen}
        onSelect={(ids) => setSelected(new Set(ids))}
        onResults={(results) => {
          setRefusals(describeRefusals(results, alerts));
          setSelected(new Set());
          refresh();
          props.onActed();
        }}
      />
      {refusals === null ? null : (
        <p className="notice" role="alert">
          {refusals}.{" "}
          <button type="button" className="link" onClick={() => setRefusals(null)}>
            Close
          </button>
        </p>
      )}
      <div className="table-scroller">
        <ul className="alert-list" aria-label="Alerts, newest first">
          {alerts.map((alert) => (
            <AlertRow
              key={alert.alertId}
              alert={alert}
              now={now}
              href={hrefOf(alert.alertId)}
              chosen={alert.alertId === chosenId}
              selected={selected.has(alert.alertId)}
              onSelect={(isSelected) => select(alert.alertId, isSelected)}
            />
          ))}
        </ul>
        {problem === null ? null : (
          <p className="notice" role="alert">
            The alerts could not be loaded: {problem}.{" "}
            <button type="button" className="link" onClick={refresh}>
              Try again
            </button>
          </p>
        )}
        {state.more && !loading ? (
          <p className="nothing">
            <button type="button" className="quiet-button" onClick={more}>
              Show older
            </button>
          </p>
        ) : null}
        <Silence shown={alerts.length} loading={loading} quiet={problem === null && !state.more} />
      </div>
    </section>
  );
}

function Silence(props: { shown: number; loading: boolean; quiet: boolean }) {
  const { shown, loading, quiet } = props;
  if (shown > 0 && !loading) {
    return null;
  }
  return (
    <p className="nothing" role="status">
      {loading ? "Loading alerts…" : quiet ? "No such alerts." : ""}
    </p>
  );
}

interface BulkBarProps extends AlertsViewProps {
  readonly waiting: readonly Alert[];
  readonly chosen: readonly Alert[];
  readonly onSelect: (alertIds: readonly string[]) => void;
  readonly onResults: (results: readonly AcknowledgeResult[]) => void;
}

function BulkBar({ client, waiting, chosen, signature, onSelect, onResults }: BulkBarProps) {
  const act = useAct();
  if (waiting.length === 0) {
    return null;
  }
  const all = waiting.slice(0, MOST_SELECTED).map(({ alertId }) => alertId);
  return (
    <div className="bulk-bar">
      <label>
        <input
          type="checkbox"
          checked={chosen.length === all.length}
          onChange={(event) => onSelect(event.target.checked ? all : [])}
        />{" "}
        {chosen.length === 0 ? "Select all" : `${formatCount(chosen.length)} selected`}
      </label>
      {chosen.length === 0 ? null : (
        <StatementForm
          label="Note (optional)"
          button="Acknowledge"
          act={act}
          signature={signature}
          onSubmit={(statement, clear) => {
            const ids = chosen.map(({ alertId }) => alertId);
            act.run(
              (signal) => client.acknowledge(ids, statement, signal),
              (results) => {
                clear();
                onResults(results);
              },
            );
          }}
        />
      )}
    </div>
  );
}
