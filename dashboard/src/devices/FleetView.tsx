/** The fleet: filters above, table below. Owns the filter and the sorting, nothing else. */
import { useMemo, useState } from "react";
import type { DeviceRow, DeviceStatus, Summary } from "../api/types.ts";
import { formatCount } from "../format/numbers.ts";
import { DeviceTable } from "./DeviceTable.tsx";
import { DEFAULT_SORTING, type Filter, listDevices, NO_FILTER, rankIds } from "./order.ts";
import { StatusFilter } from "./StatusFilter.tsx";

export interface FleetViewProps {
  readonly rows: ReadonlyMap<string, DeviceRow>;
  readonly fleetNewestAt: number | null;
  readonly counts: Summary["devices"] | null;
  readonly chosenId: string | null;
  readonly hrefOf: (deviceId: string) => string;
  readonly now: number;
}

export function FleetView({ rows, fleetNewestAt, counts, chosenId, hrefOf, now }: FleetViewProps) {
  const [filter, setFilter] = useState(NO_FILTER);
  const [sorting, setSorting] = useState(DEFAULT_SORTING);
  const ranks = useIdRanks(rows);
  const devices = useMemo(
    () => listDevices({ rows, ranks, fleetNewestAt, filter, sorting }),
    [rows, ranks, fleetNewestAt, filter, sorting],
  );
  return (
    <section className="fleet" aria-label="Fleet">
      <div className="fleet-tools">
        <StatusFilter
          counts={counts}
          chosen={filter.status}
          onChoose={(status: DeviceStatus | "all") => setFilter({ ...filter, status })}
        />
        <PrefixInput filter={filter} onChange={setFilter} shown={devices.length} />
      </div>
      {devices.length === 0 ? (
        <p className="nothing">
          No device matches this filter.{" "}
          <button type="button" className="link" onClick={() => setFilter(NO_FILTER)}>
            Show all
          </button>
        </p>
      ) : (
        <DeviceTable
          devices={devices}
          fleetNewestAt={fleetNewestAt}
          sorting={sorting}
          onSort={setSorting}
          chosenId={chosenId}
          hrefOf={hrefOf}
          now={now}
        />
      )}
    </section>
  );
}

interface PrefixInputProps {
  readonly filter: Filter;
  readonly onChange: (filter: Filter) => void;
  readonly shown: number;
}

function PrefixInput({ filter, onChange, shown }: PrefixInputProps) {
  return (
    <div className="prefix">
      <input
        type="search"
        aria-label="Device ids that start with"
        placeholder="Device id starts with…"
        value={filter.prefix}
        onChange={(event) => onChange({ ...filter, prefix: event.target.value })}
        autoComplete="off"
        spellCheck={false}
      />
      <output className="visually-hidden">{formatCount(shown)} devices shown</output>
    </div>
  );
}

/** Ranks the ids anew only when a device came or went. */
function useIdRanks(rows: ReadonlyMap<string, DeviceRow>): ReadonlyMap<string, number> {
  const [ranks, setRanks] = useState(() => rankIds(rows.keys()));
  if (ranks.size === rows.size && everyKeyIn(rows, ranks)) {
    return ranks;
  }
  const fresh = rankIds(rows.keys());
  setRanks(fresh);
  return fresh;
}

function everyKeyIn(rows: ReadonlyMap<string, unknown>, ranks: ReadonlyMap<string, unknown>) {
  for (const id of rows.keys()) {
    if (!ranks.has(id)) {
      return false;
    }
  }
  return true;
}
