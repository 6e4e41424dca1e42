/** Whether somebody took note of an alert, and taking note of it, or taking that back, while it is open. */
import type { ApiClient } from "../api/client.ts";
import type { Acknowledged, Alert } from "../api/types.ts";
import { formatInstant } from "../format/times.ts";
import { type Signature, StatementForm } from "./StatementForm.tsx";
import { type Act, useAct } from "./useAct.ts";

export interface AcknowledgementProps {
  readonly client: ApiClient;
  readonly alert: Alert;
  readonly signature: Signature;
  readonly onActed: () => void;
}

export function Acknowledgement({ client, alert, signature, onActed }: AcknowledgementProps) {
  const act = useAct();
  const { alertId, acknowledged } = alert;
  const isOpen = alert.state === "open";
  if (acknowledged !== null) {
    const takeBack = () => {
      const statement = { text: "", by: signature.by.trim() };
      act.run((signal) => client.takeBack(alertId, statement, signal), onActed);
    };
    return <By acknowledged={acknowledged} act={act} onTakeBack={isOpen ? takeBack : null} />;
  }
  if (!isOpen) {
    return null;
  }
  return (
    <>
      <h3>Acknowledge</h3>
      <StatementForm
        label="Note (optional)"
        button="Acknowledge"
        act={act}
        signature={signature}
        onSubmit={(statement) => {
          act.run((signal) => client.acknowledge([alertId], statement, signal), onActed);
        }}
      />
    </>
  );
}

interface ByProps {
  readonly acknowledged: Acknowledged;
  readonly act: Act;
  /** `null` where it cannot be taken back any more. */
  readonly onTakeBack: (() => void) | null;
}

function By({ acknowledged: { by, at, note }, act, onTakeBack }: ByProps) {
  return (
    <p className="acknowledged">
      Acknowledged by <bdi>{by}</bdi>, {formatInstant(at)}
      {note === "" ? "." : ": "}
      {note === "" ? null : (
        <q>
          <bdi>{note}</bdi>
        </q>
      )}
      {onTakeBack === null ? null : (
        <>
          {" "}
          <button type="button" className="link" disabled={act.busy} onClick={onTakeBack}>
            Take back
          </button>
        </>
      )}
      {act.problem === null ? null : (
        <span className="field-problem" role="alert">
          {act.problem}
        </span>
      )}
    </p>
  );
}
