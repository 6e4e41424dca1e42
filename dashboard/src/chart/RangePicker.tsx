/** The ranges as a row of buttons, and the way back from a zoom. */
import { RANGES, type RangeId } from "./ranges.ts";

export interface RangePickerProps {
  readonly range: RangeId;
  readonly onRange: (range: RangeId) => void;
  readonly zoomed: boolean;
  readonly onUnzoom: () => void;
}

export function RangePicker({ range, onRange, zoomed, onUnzoom }: RangePickerProps) {
  return (
    <div className="range-tools">
      <fieldset className="segments">
        <legend className="visually-hidden">Range</legend>
        {RANGES.map(({ id, label, name }) => (
          <button
            type="button"
            key={id}
            aria-label={name}
            aria-pressed={range === id}
            onClick={() => onRange(id)}
          >
            {label}
          </button>
        ))}
      </fieldset>
      {zoomed ? (
        <button type="button" className="quiet-button" onClick={onUnzoom}>
          Reset zoom
        </button>
      ) : null}
    </div>
  );
}
