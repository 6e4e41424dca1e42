/** The counts of the fleet by status, each a button that filters the table by it. */
import type { DeviceStatus, Summary } from "../api/types.ts";
import { formatCount, NO_VALUE } from "../format/numbers.ts";

type Choice = DeviceStatus | "all";

const CHOICES: ReadonlyArray<{ choice: Choice; count: DeviceStatus | "total"; label: string }> = [
  { choice: "all", count: "total", label: "All" },
  { choice: "anomaly", count: "anomaly", label: "Anomaly" },
  { choice: "silent", count: "silent", label: "Silent" },
  { choice: "learning", count: "learning", label: "Learning" },
  { choice: "normal", count: "normal", label: "Normal" },
];

export interface StatusFilterProps {
  readonly counts: Summary["devices"] | null;
  readonly chosen: Choice;
  readonly onChoose: (choice: Choice) => void;
}

export function StatusFilter({ counts, chosen, onChoose }: StatusFilterProps) {
  return (
    <fieldset className="status-filter">
      <legend className="visually-hidden">Status</legend>
      {CHOICES.map(({ choice, count, label }) => (
        <button
          type="button"
          key={choice}
          data-choice={choice}
          data-some={counts !== null && counts[count] > 0}
          aria-pressed={chosen === choice}
          onClick={() => onChoose(choice)}
        >
          <span className="filter-count">
            {counts === null ? NO_VALUE : formatCount(counts[count])}
          </span>
          <span className="filter-label">{label}</span>
        </button>
      ))}
    </fieldset>
  );
}
