/** What the connection is worth right now, in words, with the age of the newest reading. */
import { formatAge, formatInstant } from "../format/times.ts";
import type { Standing } from "../live/link.ts";

const WORDS: Readonly<Record<Standing, { label: string; detail: string }>> = {
  connecting: { label: "Connecting", detail: "Live updates are not connected yet." },
  live: { label: "Live", detail: "Readings arrive as they are scored." },
  quiet: {
    label: "Connected, quiet",
    detail: "Live updates are connected; no device has sent a reading lately.",
  },
  delayed: {
    label: "Delayed, polling",
    detail: "Live updates do not arrive. The page asks for readings every 10 seconds.",
  },
  reconnecting: {
    label: "Reconnecting",
    detail: "Live updates were interrupted. Meanwhile the page asks every 10 seconds.",
  },
  offline: { label: "Disconnected", detail: "The API does not answer. What you see is old." },
  "signed-out": { label: "Signed out", detail: "The API asks for a key." },
  "no-data": { label: "No data yet", detail: "No device has sent a reading." },
};

export interface ConnectionStateProps {
  readonly standing: Standing;
  readonly newestReadingAt: number | null;
  readonly now: number;
}

export function ConnectionState({ standing, newestReadingAt, now }: ConnectionStateProps) {
  const { label, detail } = WORDS[standing];
  return (
    <div className="connection" data-standing={standing} title={detail}>
      <span className="connection-dot" aria-hidden="true" />
      <span className="connection-label" role="status">
        {label}
      </span>
      {newestReadingAt === null ? null : (
        <span
          className="connection-age"
          title={`Newest reading: ${formatInstant(newestReadingAt)}`}
        >
          newest reading {formatAge(newestReadingAt, now)}
        </span>
      )}
    </div>
  );
}
