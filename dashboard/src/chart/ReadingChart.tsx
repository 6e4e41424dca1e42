/**
 * The live chart of one device: readings in, the hovered one and the brushed stretch out.
 *
 * Keys, for those without a pointer: left and right walk along the readings, plus and minus zoom,
 * Escape shows all.
 */
import { type KeyboardEvent, useMemo, useRef } from "react";
import type { Reading } from "../api/types.ts";
import { Plot } from "./Plot.tsx";
import { readPalette } from "./palette.ts";
import {
  type PlotContext,
  scoreColumns,
  scorePlot,
  temperatureColumns,
  temperaturePlot,
} from "./plots.ts";
import { brush, type View, zoom } from "./ranges.ts";
import { findGaps, nearestIndex } from "./series.ts";

const ZOOM_STEP = 0.5;

export interface ReadingChartProps {
  readonly readings: readonly Reading[];
  /** What the range shows in full. */
  readonly whole: View;
  /** What is zoomed to, or `null` for all of it. */
  readonly zoomed: View | null;
  readonly onZoom: (view: View | null) => void;
  readonly hovered: number | null;
  readonly onHover: (index: number | null) => void;
  readonly theme: string;
  readonly label: string;
}

export function ReadingChart(props: ReadingChartProps) {
  const { readings, whole, zoomed, onZoom, hovered, onHover, theme, label } = props;
  const view = zoomed ?? whole;
  const gaps = useMemo(() => findGaps(readings), [readings]);
  const newest = useRef({ props, view, gaps });
  newest.current = { props, view, gaps };

  function context(element: HTMLElement): PlotContext {
    return {
      palette: readPalette(element),
      readings: () => newest.current.props.readings,
      view: () => newest.current.view,
      gaps: () => newest.current.gaps,
      onBrush: (min, max) =>
        newest.current.props.onZoom(brush(min, max, newest.current.props.whole)),
      onHover: (index) => newest.current.props.onHover(index),
    };
  }

  function onKeyDown(event: KeyboardEvent): void {
    const step = event.shiftKey ? 10 : 1;
    const actions = new Map([
      ["ArrowLeft", () => onHover(walk(readings, view, hovered, -step))],
      ["ArrowRight", () => onHover(walk(readings, view, hovered, step))],
      ["+", () => onZoom(zoom(view, ZOOM_STEP, whole))],
      ["-", () => onZoom(zoom(view, 1 / ZOOM_STEP, whole))],
      ["Escape", () => onZoom(null)],
    ]);
    const action = actions.get(event.key);
    if (action !== undefined) {
      event.preventDefault();
      action();
    }
  }

  const temperatures = useMemo(() => temperatureColumns(readings), [readings]);
  const scores = useMemo(() => scoreColumns(readings), [readings]);
  const shared = { view: `${view.min} ${view.max}`, hovered, theme };
  return (
    // biome-ignore lint/a11y/useSemanticElements: no element means a chart that keys can explore
    <div
      className="chart"
      role="group"
      aria-roledescription="chart"
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: keys walk along the readings
      tabIndex={0}
      onKeyDown={onKeyDown}
      onDoubleClick={() => onZoom(null)}
    >
      <Plot
        {...shared}
        className="plot-temperature"
        options={(element) => temperaturePlot(context(element))}
        data={temperatures}
      />
      <p className="plot-title">Score</p>
      <Plot
        {...shared}
        className="plot-score"
        options={(element) => scorePlot(context(element))}
        data={scores}
      />
    </div>
  );
}

/** The reading `step` further on, starting at the newest in view, never leaving the view. */
function walk(
  readings: readonly Reading[],
  view: View,
  hovered: number | null,
  step: number,
): number | null {
  const first = nearestIndex(readings, view.min);
  const last = nearestIndex(readings, view.max);
  if (first === null || last === null) {
    return null;
  }
  const next = hovered === null ? last : hovered + step;
  return Math.min(last, Math.max(first, next));
}
