/** What narrows the list of alerts down: state, severity, devices. The filter lives in the address. */
import { type FormEvent, useState } from "react";
import type { AlertFilter } from "../api/alerts.ts";

const STATES = [
  { label: "Unacknowledged", state: "open", acknowledged: "false" },
  { label: "Open", state: "open", acknowledged: "" },
  { label: "Closed", state: "closed", acknowledged: "" },
  { label: "All", state: "all", acknowledged: "" },
] as const;

export interface AlertFiltersProps {
  readonly filter: AlertFilter;
  readonly onFilter: (filter: AlertFilter) => void;
  readonly mutesHref: string;
}

export function AlertFilters({ filter, onFilter, mutesHref }: AlertFiltersProps) {
  return (
    <div className="fleet-tools">
      <fieldset className="status-filter">
        <legend className="visually-hidden">State</legend>
        {STATES.map(({ label, state, acknowledged }) => (
          <button
            key={label}
            type="button"
            aria-pressed={filter.state === state && filter.acknowledged === acknowledged}
            onClick={() => onFilter({ ...filter, state, acknowledged })}
          >
            {label}
          </button>
        ))}
      </fieldset>
      <select
        aria-label="Severity"
        value={filter.severity}
        onChange={(event) =>
          onFilter({ ...filter, severity: event.target.value as AlertFilter["severity"] })
        }
      >
        <option value="">All severities</option>
        <option value="critical">Critical</option>
        <option value="warning">Warning</option>
      </select>
      {/* Another filter from outside, such as a link from a device, begins with its own text. */}
      <DevicesInput key={filter.devices} filter={filter} onFilter={onFilter} />
      <a className="quiet-button" href={mutesHref}>
        Mutes
      </a>
    </div>
  );
}

function DevicesInput({ filter, onFilter }: Omit<AlertFiltersProps, "mutesHref">) {
  const [devices, setDevices] = useState(filter.devices);

  function apply(): void {
    if (devices !== filter.devices) {
      onFilter({ ...filter, devices });
    }
  }

  function submit(event: FormEvent): void {
    event.preventDefault();
    apply();
  }

  return (
    <form className="prefix" onSubmit={submit}>
      <input
        type="search"
        aria-label="Device, or start of ids with * behind it"
        placeholder="Device, or freezer-*"
        value={devices}
        onChange={(event) => setDevices(event.target.value)}
        onBlur={apply}
        autoComplete="off"
        spellCheck={false}
      />
    </form>
  );
}
