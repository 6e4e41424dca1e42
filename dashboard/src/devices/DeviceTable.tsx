/**
 * The table of devices: sorted rows in, a choice of device out.
 *
 * Draws only the rows in view, so that ten thousand devices scroll as easily as ten. Text from
 * devices appears as text nodes and attributes only.
 */
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useRef } from "react";
import type { DeviceRow } from "../api/types.ts";
import { attentionOf } from "./attention.ts";
import { COLUMNS, type Column } from "./columns.tsx";
import { DeviceTableRow } from "./DeviceTableRow.tsx";
import { type Sorting, type SortKey, sortingAfterClick } from "./order.ts";

/** Height of a row in CSS pixels; `table.css` uses the same through `--row-height`. */
const ROW_HEIGHT = 40;
const OVERSCAN_ROWS = 8;

export interface DeviceTableProps {
  readonly devices: readonly DeviceRow[];
  readonly fleetNewestAt: number | null;
  readonly sorting: Sorting;
  readonly onSort: (sorting: Sorting) => void;
  readonly chosenId: string | null;
  readonly hrefOf: (deviceId: string) => string;
  readonly now: number;
}

export function DeviceTable(props: DeviceTableProps) {
  const { devices, sorting, onSort } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: devices.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (index) => devices[index]?.deviceId ?? index,
    overscan: OVERSCAN_ROWS,
  });
  const items = virtualizer.getVirtualItems();
  const above = items[0]?.start ?? 0;
  const below = virtualizer.getTotalSize() - (items.at(-1)?.end ?? 0);

  function moveFocus(event: KeyboardEvent): void {
    const index = targetIndex(event, devices.length);
    if (index === null) {
      return;
    }
    event.preventDefault();
    virtualizer.scrollToIndex(index, { align: "auto" });
    // The row may not be drawn before the scroll has been.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        scroller.current?.querySelector<HTMLElement>(`tr[data-index="${index}"] a`)?.focus();
      }),
    );
  }

  return (
    <div className="table-scroller" ref={scroller}>
      <table className="devices" aria-label="Devices" aria-rowcount={devices.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            {COLUMNS.map((column) => (
              <ColumnHead
                key={column.key}
                column={column}
                sorting={sorting}
                onSort={(key) => onSort(sortingAfterClick(sorting, key))}
              />
            ))}
          </tr>
        </thead>
        <tbody onKeyDown={moveFocus}>
          <Spacer height={above} />
          {items.map((item) => {
            const row = devices[item.index];
            return row === undefined ? null : (
              <DeviceTableRow
                key={item.key}
                row={row}
                index={item.index}
                attention={attentionOf(row, props.fleetNewestAt)}
                href={props.hrefOf(row.deviceId)}
                chosen={row.deviceId === props.chosenId}
                now={props.now}
              />
            );
          })}
          <Spacer height={below} />
        </tbody>
      </table>
    </div>
  );
}

function Spacer({ height }: { height: number }) {
  return height <= 0 ? null : (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a row without content takes no focus
    <tr aria-hidden="true" className="spacer">
      {/* One cell: spanning columns that are hidden would bring their width back. */}
      <td style={{ height }} />
    </tr>
  );
}

interface ColumnHeadProps {
  readonly column: Column;
  readonly sorting: Sorting;
  readonly onSort: (key: SortKey) => void;
}

function ColumnHead({ column, sorting, onSort }: ColumnHeadProps) {
  const active = sorting.key === column.key;
  const direction = sorting.descending ? "descending" : "ascending";
  return (
    <th
      scope="col"
      data-column={column.key}
      data-numeric={column.numeric}
      aria-sort={active ? direction : "none"}
    >
      <button type="button" title={column.hint} onClick={() => onSort(column.key)}>
        {column.head}
        <svg className="sort-arrow" viewBox="0 0 8 8" aria-hidden="true">
          <path d={sorting.descending ? "M1 2.5 4 6 7 2.5" : "M1 5.5 4 2 7 5.5"} />
        </svg>
      </button>
    </th>
  );
}

/** The row that a key moves to, or `null` for other keys. */
function targetIndex(event: KeyboardEvent, count: number): number | null {
  const row = event.target instanceof Element ? event.target.closest("tr") : null;
  const current = Number(row?.dataset.index ?? Number.NaN);
  if (Number.isNaN(current)) {
    return null;
  }
  const moves: Readonly<Record<string, number>> = {
    ArrowDown: current + 1,
    ArrowUp: current - 1,
    Home: 0,
    End: count - 1,
  };
  const next = moves[event.key];
  return next === undefined ? null : Math.min(count - 1, Math.max(0, next));
}
