/** One alert in the list: what, whose, since when; its link opens it. */
import type { Alert } from "../api/types.ts";
import { formatCelsius, formatScore } from "../format/numbers.ts";
import { formatAge, formatInstant } from "../format/times.ts";
import { AlertMark, AlertNotes } from "./AlertMark.tsx";
import { Sparkline } from "./Sparkline.tsx";

const BOX = { width: 96, height: 28, padding: 3 };

export interface AlertRowProps {
  readonly alert: Alert;
  readonly now: number;
  readonly href: string;
  readonly chosen: boolean;
  readonly selected: boolean;
  readonly onSelect: (selected: boolean) => void;
}

export function AlertRow({ alert, now, href, chosen, selected, onSelect }: AlertRowProps) {
  const { deviceId, kind, state, openedAt, temperature, expected, peakScore } = alert;
  const selectable = state === "open" && alert.acknowledged === null;
  return (
    <li
      className="alert-row"
      data-state={state}
      data-waiting={selectable && !alert.muted}
      aria-current={chosen ? "true" : undefined}
    >
      <input
        type="checkbox"
        aria-label={`Select ${kind} of ${deviceId}`}
        checked={selected}
        disabled={!selectable}
        onChange={(event) => onSelect(event.target.checked)}
      />
      <AlertMark alert={alert} />
      <a className="alert-what" href={href}>
        <bdi className="alert-device">{deviceId}</bdi>
        <span className="alert-kind">{kind}</span>
      </a>
      <span className="alert-notes">
        <AlertNotes alert={alert} />
      </span>
      <span className="alert-values">
        <span>
          {formatCelsius(temperature)} °C
          {expected === null ? null : (
            <span className="hint"> expected {formatCelsius(expected)}</span>
          )}
        </span>
        <span className="hint">peak {formatScore(peakScore)}</span>
      </span>
      <Sparkline alert={alert} box={BOX} />
      <time className="alert-opened" title={formatInstant(openedAt)}>
        {formatAge(openedAt, now)}
      </time>
    </li>
  );
}
