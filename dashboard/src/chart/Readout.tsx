/** The values of one reading: the hovered one, else the newest. */
import type { Reading } from "../api/types.ts";
import { formatCelsius, formatError, formatScore } from "../format/numbers.ts";
import { formatInstant } from "../format/times.ts";

export function Readout({ reading, hovered }: { reading: Reading; hovered: boolean }) {
  const verdict = reading.score === null ? "learning" : reading.anomaly ? "anomaly" : "normal";
  return (
    <dl className="readout" data-verdict={verdict}>
      <Value
        name="Temperature"
        series="temperature"
        unit="°C"
        text={formatCelsius(reading.temperature)}
      />
      <Value name="Expected" series="expected" unit="°C" text={formatCelsius(reading.expected)} />
      <Value name="Error" text={formatError(reading.error)} />
      <Value name="Score" series="score" text={formatScore(reading.score)} />
      <div className="readout-when">
        <dt>{hovered ? "At" : "Newest"}</dt>
        <dd>
          <time>{formatInstant(reading.timestamp)}</time>
        </dd>
      </div>
    </dl>
  );
}

interface ValueProps {
  readonly name: string;
  readonly text: string;
  readonly unit?: string;
  /** The line of the chart that it belongs to. */
  readonly series?: "temperature" | "expected" | "score";
}

function Value({ name, text, unit, series }: ValueProps) {
  return (
    <div>
      <dt>
        {series === undefined ? null : <span className="swatch" data-series={series} />}
        {name}
      </dt>
      <dd>
        {text}
        {unit === undefined ? null : <span className="unit"> {unit}</span>}
      </dd>
    </div>
  );
}
