/** A small picture of the readings that led to an alert; the words beside it say the same. */
import type { Alert } from "../api/types.ts";
import { type Box, lineOf } from "./sparkline.ts";

export function Sparkline({ alert, box }: { alert: Alert; box: Box }) {
  const line = lineOf(alert.readings, alert.expected, box);
  if (line === null) {
    return null;
  }
  const { width, height, padding } = box;
  const [x, y] = line.last;
  return (
    <svg className="sparkline" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      {line.expectedY === null ? null : (
        <line
          className="sparkline-expected"
          x1={padding}
          x2={width - padding}
          y1={line.expectedY}
          y2={line.expectedY}
        />
      )}
      <polyline points={line.points} />
      <circle cx={x} cy={y} r={padding - 0.5} />
    </svg>
  );
}
