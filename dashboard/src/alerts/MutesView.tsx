/** Mutes that hold, are planned or are over; ending them, and ordering new ones. */
import { useEffect, useState } from "react";
import type { ApiClient } from "../api/client.ts";
import { describeFailure } from "../api/failure.ts";
import type { Mute } from "../api/types.ts";
import { formatInstant } from "../format/times.ts";
import { MuteForm } from "./MuteForm.tsx";
import type { Signature } from "./StatementForm.tsx";
import { useAct } from "./useAct.ts";

export interface MutesViewProps {
  readonly client: ApiClient;
  readonly alertsHref: string;
  /** Another number means that mutes may have changed. */
  readonly news: number;
  readonly signature: Signature;
  readonly onActed: () => void;
}

export function MutesView({ client, alertsHref, news, signature, onActed }: MutesViewProps) {
  const { mutes, problem } = useMutes(client, news);
  return (
    <section className="fleet mutes" aria-label="Mutes">
      <div className="fleet-tools">
        <a className="quiet-button" href={alertsHref}>
          Alerts
        </a>
        <p className="hint">
          Alerts that open or get worse during a mute are listed, and nobody is notified or
          reminded.
        </p>
      </div>
      <div className="table-scroller">
        <div className="mute-new">
          <MuteForm client={client} devices="" signature={signature} onMuted={onActed} />
        </div>
        <ul className="mute-list" aria-label="Mutes">
          {(mutes ?? []).map((mute) => (
            <MuteRow
              key={mute.muteId}
              client={client}
              mute={mute}
              by={signature.by}
              onActed={onActed}
            />
          ))}
        </ul>
        {problem === null ? null : (
          <p className="notice" role="alert">
            The mutes could not be loaded: {problem}.
          </p>
        )}
        {mutes?.length === 0 ? <p className="nothing">Nothing is muted.</p> : null}
      </div>
    </section>
  );
}

interface MuteRowProps {
  readonly client: ApiClient;
  readonly mute: Mute;
  readonly by: string;
  readonly onActed: () => void;
}

function MuteRow({ client, mute, by, onActed }: MuteRowProps) {
  const act = useAct();
  const { muteId, state, devices, from, until, reason, ended } = mute;
  return (
    <li className="mute-row" data-state={state}>
      <span className="mute-devices">
        <bdi>{devices === "*" ? "All devices" : devices}</bdi> <span className="tag">{state}</span>
      </span>
      <span>
        {formatInstant(from)} to {formatInstant(until)}
      </span>
      <span>
        <q>
          <bdi>{reason}</bdi>
        </q>{" "}
        <bdi className="hint">{mute.by}</bdi>
        {ended === null ? null : (
          <span className="hint">
            , ended by <bdi>{ended.by}</bdi>, {formatInstant(ended.at)}
          </span>
        )}
      </span>
      {state === "past" ? null : (
        <button
          type="button"
          className="quiet-button"
          disabled={act.busy}
          aria-label={`End mute of ${devices}`}
          onClick={() => act.run((signal) => client.unmute(muteId, by.trim(), signal), onActed)}
        >
          End
        </button>
      )}
      {act.problem === null ? null : (
        <p className="field-problem" role="alert">
          {act.problem}
        </p>
      )}
    </li>
  );
}

function useMutes(client: ApiClient, news: number) {
  const [mutes, setMutes] = useState<readonly Mute[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: news is what there is to look at
  useEffect(() => {
    const left = new AbortController();
    client
      .listMutes(left.signal)
      .then((listed) => {
        setMutes(listed);
        setProblem(null);
      })
      .catch((thrown: unknown) => {
        if (!left.signal.aborted) {
          setProblem(describeFailure(thrown));
        }
      });
    return () => left.abort();
  }, [client, news]);
  return { mutes, problem };
}
