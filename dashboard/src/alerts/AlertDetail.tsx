/** One alert: what is known of it, and what the viewer can do about it. Read by its id, so links to it last. */
import { useEffect, useRef, useState } from "react";
import type { ApiClient } from "../api/client.ts";
import { describeFailure } from "../api/failure.ts";
import type { Alert } from "../api/types.ts";
import { formatCelsius, formatScore } from "../format/numbers.ts";
import { formatAge, formatClock, formatInstant } from "../format/times.ts";
import { AlertMark, AlertNotes } from "./AlertMark.tsx";
import { MuteForm } from "./MuteForm.tsx";
import { Sparkline } from "./Sparkline.tsx";
import { type Signature, StatementForm } from "./StatementForm.tsx";
import { useAct } from "./useAct.ts";

const BOX = { width: 360, height: 90, padding: 4 };

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
      {alert === undefined || alert === null ? null : <Facts {...props} alert={alert} />}
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

function Facts(props: AlertDetailProps & { alert: Alert }) {
  const { client, alert, now, signature, onActed, deviceHrefOf } = props;
  const { deviceId, openedAt, beganAt, closedAt, temperature, expected, peakScore } = alert;
  const waits = alert.state === "open" && alert.acknowledged === null;
  return (
    <div className="alert-body">
      <p>
        <AlertNotes alert={alert} /> <a href={deviceHrefOf(deviceId)}>Show the device’s chart</a>
      </p>
      <figure>
        <Sparkline alert={alert} box={BOX} />
        <figcaption className="hint">{captionOf(alert)}</figcaption>
      </figure>
      <dl className="alert-facts">
        <Fact name="State">
          {alert.state}, {alert.severity}
        </Fact>
        <Fact name="Opened">
          {formatInstant(openedAt)} ({formatAge(openedAt, now)})
        </Fact>
        {beganAt === openedAt ? null : <Fact name="Began">{formatInstant(beganAt)}</Fact>}
        {closedAt === null ? null : <Fact name="Closed">{formatInstant(closedAt)}</Fact>}
        <Fact name="Temperature">{formatCelsius(temperature)} °C</Fact>
        <Fact name="Expected">
          {formatCelsius(expected)}
          {expected === null ? "" : " °C"}
        </Fact>
        <Fact name="Peak score">{formatScore(peakScore)}</Fact>
      </dl>
      {waits ? (
        <Acknowledge client={client} alert={alert} signature={signature} onActed={onActed} />
      ) : (
        <AcknowledgedBy alert={alert} />
      )}
      <h3>Mute</h3>
      <MuteForm
        key={deviceId}
        client={client}
        devices={deviceId}
        signature={signature}
        onMuted={onActed}
      />
    </div>
  );
}

/** What the picture shows, in words. */
function captionOf({ readings }: Alert): string {
  const [first, last] = [readings[0], readings.at(-1)];
  if (first === undefined || last === undefined) {
    return "No readings are stored with it.";
  }
  const levels = readings.map(([, celsius]) => celsius);
  const [low, high] = [Math.min(...levels), Math.max(...levels)].map(formatCelsius);
  const [from, to] = [first[0], last[0]].map((time) => formatClock(time, false));
  return `The readings up to its opening, from ${from} to ${to}: ${low} to ${high} °C`;
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function AcknowledgedBy({ alert: { acknowledged } }: { alert: Alert }) {
  if (acknowledged === null) {
    return null;
  }
  const { by, at, note } = acknowledged;
  return (
    <p className="acknowledged">
      Acknowledged by <bdi>{by}</bdi>, {formatInstant(at)}
      {note === "" ? "." : ": "}
      {note === "" ? null : (
        <q>
          <bdi>{note}</bdi>
        </q>
      )}
    </p>
  );
}

type AcknowledgeProps = Pick<AlertDetailProps, "client" | "signature" | "onActed">;

function Acknowledge(props: AcknowledgeProps & { alert: Alert }) {
  const { client, alert, signature, onActed } = props;
  const act = useAct();
  return (
    <>
      <h3>Acknowledge</h3>
      <StatementForm
        label="Note (optional)"
        button="Acknowledge"
        act={act}
        signature={signature}
        onSubmit={(statement) => {
          const { alertId } = alert;
          act.run((signal) => client.acknowledge([alertId], statement, signal), onActed);
        }}
      />
    </>
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
