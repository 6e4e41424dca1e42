/** The columns of the device table: head, key to sort by, and what a cell shows. */
import type { ReactNode } from "react";
import type { DeviceRow } from "../api/types.ts";
import { formatCelsius, formatError } from "../format/numbers.ts";
import { formatAge, formatInstant } from "../format/times.ts";
import type { Attention } from "./attention.ts";
import type { SortKey } from "./order.ts";
import { ScoreBar } from "./ScoreBar.tsx";
import { StatusMark } from "./StatusMark.tsx";

/** What a cell may need beside its row. */
export interface CellContext {
  readonly now: number;
  readonly attention: Attention;
  readonly href: string;
}

export interface Column {
  readonly key: SortKey;
  readonly head: string;
  /** Unit or explanation, shown on hover. */
  readonly hint: string;
  readonly numeric: boolean;
  readonly cell: (row: DeviceRow, context: CellContext) => ReactNode;
}

export const COLUMNS: readonly Column[] = [
  {
    key: "deviceId",
    head: "Device",
    hint: "Device id",
    numeric: false,
    cell: (row, { href }) => (
      <a href={href} title={row.deviceId}>
        {row.deviceId}
      </a>
    ),
  },
  {
    key: "status",
    head: "Status",
    hint: "Anomalies first, then devices that were anomalous in the last ten minutes",
    numeric: false,
    cell: (row, { attention }) => (
      <StatusMark status={row.status} recent={attention === "recent"} />
    ),
  },
  {
    key: "temperature",
    head: "Temperature",
    hint: "Newest reading, °C",
    numeric: true,
    cell: (row) => (
      <>
        {formatCelsius(row.temperature)} <span className="unit">°C</span>
      </>
    ),
  },
  {
    key: "expected",
    head: "Expected",
    hint: "Temperature that the model reconstructs, °C",
    numeric: true,
    cell: (row) => formatCelsius(row.expected),
  },
  {
    key: "error",
    head: "Error",
    hint: "Reconstruction error: mean squared difference in normalized units",
    numeric: true,
    cell: (row) => formatError(row.error),
  },
  {
    key: "score",
    head: "Score",
    hint: "Above 1, the threshold, is an anomaly",
    numeric: true,
    cell: (row) => <ScoreBar score={row.score} />,
  },
  {
    key: "timestamp",
    head: "Last reading",
    hint: "Time of the newest reading",
    numeric: true,
    cell: (row, { now }) => (
      <time title={formatInstant(row.timestamp)}>{formatAge(row.timestamp, now)}</time>
    ),
  },
];
