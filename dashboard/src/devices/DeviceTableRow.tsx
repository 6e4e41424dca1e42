/** One row of the device table: a device in, its cells out; a click anywhere follows its link. */
import { memo } from "react";
import type { DeviceRow } from "../api/types.ts";
import { type CellContext, COLUMNS } from "./columns.tsx";

interface RowProps extends CellContext {
  readonly row: DeviceRow;
  readonly index: number;
  readonly chosen: boolean;
}

/** Remembered, so that scrolling draws the rows that come into view and no others. */
export const DeviceTableRow = memo(function DeviceTableRow({
  row,
  index,
  chosen,
  now,
  attention,
  href,
}: RowProps) {
  return (
    // The link in the row serves keyboards; a click anywhere in the row is a wider target for it.
    <tr
      data-index={index}
      data-attention={attention}
      aria-rowindex={index + 2}
      aria-current={chosen ? "true" : undefined}
      onClick={(event) => followRow(event.target, event.currentTarget)}
    >
      {COLUMNS.map((column) => (
        <td key={column.key} data-column={column.key} data-numeric={column.numeric}>
          {column.cell(row, { now, attention, href })}
        </td>
      ))}
    </tr>
  );
});

function followRow(target: EventTarget, row: HTMLElement): void {
  const onLink = target instanceof Element && target.closest("a") !== null;
  const selecting = window.getSelection()?.isCollapsed === false;
  if (!onLink && !selecting) {
    row.querySelector("a")?.click();
  }
}
