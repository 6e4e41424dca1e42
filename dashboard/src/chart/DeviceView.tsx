/** One device: its newest values, its chart and the tools around it. */
import { useEffect, useRef, useState } from "react";
import type { ApiClient } from "../api/client.ts";
import type { DeviceRow, Reading } from "../api/types.ts";
import { CsvLink } from "./CsvLink.tsx";
import type { FeedState } from "./feed.ts";
import { RangePicker } from "./RangePicker.tsx";
import { ReadingChart } from "./ReadingChart.tsx";
import { Readout } from "./Readout.tsx";
import { type RangeId, spanOf, type View, wholeView } from "./ranges.ts";
import { useReadings } from "./useReadings.ts";

export interface DeviceViewProps {
  readonly client: ApiClient;
  readonly row: DeviceRow;
  readonly range: RangeId;
  readonly onRange: (range: RangeId) => void;
  readonly closeHref: string;
  readonly alertsHref: string;
  readonly theme: string;
}

export function DeviceView(props: DeviceViewProps) {
  const { client, row, range, onRange, closeHref, alertsHref, theme } = props;
  const [attempt, setAttempt] = useState(0);
  const [zoomed, setZoomed] = useState<View | null>(null);
  const [hovered, setHovered] = useState<number | null>(null);
  const feed = useReadings(client, row, range, attempt);
  const { readings } = feed;
  const newest = readings.at(-1);
  const whole = wholeView(
    range,
    readings[0]?.timestamp ?? row.timestamp,
    newest?.timestamp ?? row.timestamp,
  );
  const shown: Reading = (hovered === null ? undefined : readings[hovered]) ?? newest ?? row;

  function changeRange(next: RangeId): void {
    setZoomed(null);
    setHovered(null);
    onRange(next);
  }

  return (
    <section className="device" aria-label={`Device ${row.deviceId}`}>
      <DeviceHead deviceId={row.deviceId} closeHref={closeHref} alertsHref={alertsHref} />
      <Readout reading={shown} hovered={hovered !== null} />
      <div className="chart-tools">
        <RangePicker
          range={range}
          onRange={changeRange}
          zoomed={zoomed !== null}
          onUnzoom={() => setZoomed(null)}
        />
        <CsvLink client={client} deviceId={row.deviceId} span={csvSpan(range, zoomed, row)} />
      </div>
      <FeedNotice feed={feed} onRetry={() => setAttempt(attempt + 1)} />
      {readings.length === 0 ? null : (
        <ReadingChart
          readings={readings}
          whole={whole}
          zoomed={zoomed}
          onZoom={setZoomed}
          hovered={hovered}
          onHover={setHovered}
          theme={theme}
          label={`Temperature and score of ${row.deviceId}; arrow keys walk along the readings`}
        />
      )}
    </section>
  );
}

/** The file holds what the chart shows. */
function csvSpan(range: RangeId, zoomed: View | null, row: DeviceRow) {
  return zoomed === null
    ? spanOf(range, row.timestamp)
    : { from: Math.floor(zoomed.min), to: Math.ceil(zoomed.max) };
}

interface DeviceHeadProps {
  readonly deviceId: string;
  readonly closeHref: string;
  readonly alertsHref: string;
}

function DeviceHead({ deviceId, closeHref, alertsHref }: DeviceHeadProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another device is another heading to read out
  useEffect(() => heading.current?.focus({ preventScroll: true }), [deviceId]);
  return (
    <header className="device-head">
      <a className="quiet-button back" href={closeHref} aria-label="Close device">
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M10 3 5 8l5 5" />
        </svg>
        <span>Fleet</span>
      </a>
      <h2 tabIndex={-1} ref={heading} title={deviceId}>
        {deviceId}
      </h2>
      <a className="quiet-button device-alerts" href={alertsHref}>
        Alerts
      </a>
    </header>
  );
}

function FeedNotice({ feed, onRetry }: { feed: FeedState; onRetry: () => void }) {
  if (feed.problem !== null) {
    return (
      <p className="notice" role="alert">
        The readings could not be loaded: {feed.problem}.{" "}
        <button type="button" className="link" onClick={onRetry}>
          Try again
        </button>
      </p>
    );
  }
  if (feed.loading) {
    return (
      <p className="nothing" role="status">
        Loading readings…
      </p>
    );
  }
  if (feed.truncated) {
    return <p className="hint">Only the newest readings of this range are shown.</p>;
  }
  return null;
}
