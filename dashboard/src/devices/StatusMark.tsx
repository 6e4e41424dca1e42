/** The status of a device as icon, word and weight, so that it needs no color to be read. */
import type { DeviceStatus } from "../api/types.ts";

const WORDS: Readonly<Record<DeviceStatus, string>> = {
  anomaly: "Anomaly",
  learning: "Learning",
  normal: "Normal",
  silent: "Silent",
};

export function StatusMark({ status, recent }: { status: DeviceStatus; recent: boolean }) {
  return (
    <span className="status" data-status={status} data-recent={recent}>
      <StatusIcon status={status} recent={recent} />
      <span className="status-word">{WORDS[status]}</span>
      {recent ? <span className="status-note">· was anomalous</span> : null}
    </span>
  );
}

/** Filled triangle: anomaly; hollow triangle: recently; dashed ring: learning; bar: silent; dot: normal. */
function StatusIcon({ status, recent }: { status: DeviceStatus; recent: boolean }) {
  return (
    <svg className="status-icon" viewBox="0 0 12 12" aria-hidden="true">
      {status === "anomaly" || recent ? (
        <path
          d="M6 1.2 11.2 10.6H.8Z"
          fill={status === "anomaly" ? "currentColor" : "none"}
          stroke="currentColor"
          strokeWidth="1.4"
          strokeLinejoin="round"
        />
      ) : null}
      {status === "learning" && !recent ? (
        <circle
          cx="6"
          cy="6"
          r="4"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.6"
          strokeDasharray="2.2 1.6"
        />
      ) : null}
      {status === "silent" && !recent ? (
        <path
          d="M1.5 6h9"
          fill="none"
          stroke="currentColor"
          strokeWidth="2.4"
          strokeLinecap="round"
        />
      ) : null}
      {status === "normal" && !recent ? <circle cx="6" cy="6" r="2.6" fill="currentColor" /> : null}
    </svg>
  );
}
