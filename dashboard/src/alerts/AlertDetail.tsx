/** One alert: what is known of it, and what the viewer can do about it. Read by its id, so links to it last. */
import { useEffect, useRef, useState } from "react";
import type { ApiClient } from "../api/client.ts";
import { describeFailure } from "../api/failure.ts";
import type { Alert } from "../api/types.ts";
import { Acknowledgement } from "./Acknowledgement.tsx";
import { AlertFacts } from "./AlertFacts.tsx";
import { AlertMark } from "./AlertMark.tsx";
import { MuteForm } from "./MuteForm.tsx";
import type { Signature } from "./StatementForm.tsx";

export interface AlertDetailProps {
  readonly client: ApiClient;
  readonly alertId: string;
  readonly closeHref: string;
  readonly deviceHrefOf: (deviceId: string) => string;
  /** Another number means that the alert may have changed. */
  readonly news: number;
  readonly now: number;
  readonly signature: Signature;
  readonly onActed: () => void;
}

export function AlertDetail(props: AlertDetailProps) {
  const { client, alertId, closeHref, news } = props;
  const [attempt, setAttempt] = useState(0);
  const { alert, problem } = useAlert(client, alertId, news + attempt);
  return (
    <section className="device alert-detail" aria-label="Alert">
      <Head alert={alert ?? null} alertId={alertId} closeHref={closeHref} />
      {problem === null ? null : (
        <p className="notice" role="alert">
          The alert could not be loaded: {problem}.{" "}
          <button type="button" className="link" onClick={() => setAttempt(attempt + 1)}>
            Try again
          </button>
        </p>
      )}
      {alert === null ? (
        <p className="nothing">There is no such alert, or it is more than a year old.</p>
      ) : null}
      {alert === undefined || alert === null ? null : <Body {...props} alert={alert} />}
    </section>
  );
}

interface HeadProps {
  readonly alert: Alert | null;
  readonly alertId: string;
  readonly closeHref: string;
}

function Head({ alert, alertId, closeHref }: HeadProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another alert is another heading to read out
  useEffect(() => heading.current?.focus({ preventScroll: true }), [alertId]);
  return (
    <header className="device-head">
      <a className="quiet-button back" href={closeHref} aria-label="Close alert">
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M10 3 5 8l5 5" />
        </svg>
        <span>Alerts</span>
      </a>
      <h2 tabIndex={-1} ref={heading}>
        {alert === null ? (
          "Alert"
        ) : (
          <>
            <AlertMark alert={alert} /> {alert.kind} of <bdi>{alert.deviceId}</bdi>
          </>
        )}
      </h2>
    </header>
  );
}

function Body(props: AlertDetailProps & { alert: Alert }) {
  const { client, alert, now, signature, onActed, deviceHrefOf } = props;
  return (
    <div className="alert-body">
      <AlertFacts alert={alert} now={now} deviceHref={deviceHrefOf(alert.deviceId)} />
      <Acknowledgement client={client} alert={alert} signature={signature} onActed={onActed} />
      <h3>Mute</h3>
      <MuteForm
        key={alert.deviceId}
        client={client}
        devices={alert.deviceId}
        signature={signature}
        onMuted={onActed}
      />
    </div>
  );
}

/** `undefined` while nothing is known, `null` where there is no such alert. */
function useAlert(client: ApiClient, alertId: string, news: number) {
  const [found, setFound] = useState<{ id: string; alert: Alert | null } | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: news is what there is to look at
  useEffect(() => {
    const left = new AbortController();
    client
      .findAlert(alertId, left.signal)
      .then((alert) => {
        setFound({ id: alertId, alert });
        setProblem(null);
      })
      .catch((thrown: unknown) => {
        if (!left.signal.aborted) {
          setProblem(describeFailure(thrown));
        }
      });
    return () => left.abort();
  }, [client, alertId, news]);
  return { alert: found?.id === alertId ? found.alert : undefined, problem };
}
