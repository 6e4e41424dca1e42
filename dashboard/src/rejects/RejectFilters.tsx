/** What narrows the list of rejects down: a device's whole id, a reason. */
import { type FormEvent, useState } from "react";
import type { RejectFilter } from "../api/client.ts";

/** As `docs/api.md` lists them. */
const REASONS = [
  "malformed",
  "not-an-object",
  "empty",
  "too-many-readings",
  "too-many-rejects",
  "missing-device-id",
  "invalid-device-id",
  "spoofed-device-id",
  "missing-temperature",
  "invalid-temperature",
  "missing-timestamp",
  "invalid-timestamp",
  "clock-ahead",
];

export interface RejectFiltersProps {
  readonly filter: RejectFilter;
  readonly onFilter: (filter: RejectFilter) => void;
  readonly onRefresh: () => void;
}

export function RejectFilters({ filter, onFilter, onRefresh }: RejectFiltersProps) {
  const [deviceId, setDeviceId] = useState(filter.deviceId);

  function apply(): void {
    if (deviceId !== filter.deviceId) {
      onFilter({ ...filter, deviceId });
    }
  }

  function submit(event: FormEvent): void {
    event.preventDefault();
    apply();
  }

  return (
    <form className="fleet-tools" onSubmit={submit}>
      <select
        aria-label="Reason"
        value={filter.reason}
        onChange={(event) => onFilter({ ...filter, reason: event.target.value })}
      >
        <option value="">All reasons</option>
        {REASONS.map((reason) => (
          <option key={reason}>{reason}</option>
        ))}
      </select>
      <div className="prefix">
        <input
          type="search"
          aria-label="Device id"
          placeholder="Whole device id, then Enter"
          value={deviceId}
          onChange={(event) => setDeviceId(event.target.value)}
          onBlur={apply}
          autoComplete="off"
          spellCheck={false}
        />
      </div>
      <button type="button" className="quiet-button" onClick={onRefresh}>
        Refresh
      </button>
    </form>
  );
}
