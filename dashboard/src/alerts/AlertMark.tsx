/** Severity and state of an alert as shape, word and weight, so that they need no color to be read. */
import type { Alert } from "../api/types.ts";

export function AlertMark({ alert }: { alert: Alert }) {
  const { severity, state } = alert;
  return (
    <span className="alert-mark" data-severity={severity} data-state={state}>
      <SeverityIcon filled={severity === "critical"} />
      <span className="visually-hidden">{severity === "critical" ? "Critical" : "Warning"}</span>
    </span>
  );
}

/** Filled: critical; hollow: a warning. */
function SeverityIcon({ filled }: { filled: boolean }) {
  return (
    <svg viewBox="0 0 12 12" aria-hidden="true">
      <path
        d="M6 1.2 11.2 10.6H.8Z"
        fill={filled ? "currentColor" : "none"}
        stroke="currentColor"
        strokeWidth="1.4"
        strokeLinejoin="round"
      />
    </svg>
  );
}

/** What is to be known beside the severity: closed, acknowledged, muted. */
export function AlertNotes({ alert }: { alert: Alert }) {
  const { state, acknowledged, muted } = alert;
  return (
    <>
      {state === "closed" ? <span className="tag">closed</span> : null}
      {acknowledged === null ? null : (
        <span className="tag" title={acknowledged.note}>
          ✓ <bdi>{acknowledged.by}</bdi>
        </span>
      )}
      {muted ? <span className="tag">muted</span> : null}
    </>
  );
}
