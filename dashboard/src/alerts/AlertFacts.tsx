/** What is known of an alert: a picture of what led to it, and its figures. */
import type { ReactNode } from "react";
import type { Alert } from "../api/types.ts";
import { formatCelsius, formatScore } from "../format/numbers.ts";
import { formatAge, formatClock, formatInstant } from "../format/times.ts";
import { AlertNotes } from "./AlertMark.tsx";
import { Sparkline } from "./Sparkline.tsx";

const BOX = { width: 360, height: 90, padding: 4 };

export interface AlertFactsProps {
  readonly alert: Alert;
  readonly now: number;
  readonly deviceHref: string;
}

export function AlertFacts({ alert, now, deviceHref }: AlertFactsProps) {
  const { openedAt, beganAt, closedAt, temperature, expected, peakScore } = alert;
  return (
    <>
      <p>
        <AlertNotes alert={alert} /> <a href={deviceHref}>Show the device’s chart</a>
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
    </>
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

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
