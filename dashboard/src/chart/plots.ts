/**
 * The two plots of a device as uPlot options: temperature with expected value above, score below.
 *
 * Takes data and colors; what is zoomed or hovered it reports and is told. Plain drawing: no React.
 */
import type uPlot from "uplot";
import type { Reading } from "../api/types.ts";
import { drawAnomalyBands, drawAnomalyMarks, drawThreshold } from "./marks.ts";
import type { Palette } from "./palette.ts";
import type { View } from "./ranges.ts";
import { scoreTicks, temperatureRange, timeLabels } from "./ticks.ts";

/** What the plots read at each drawing and tell back. */
export interface PlotContext {
  readonly palette: Palette;
  readonly readings: () => readonly Reading[];
  readonly view: () => View;
  /** Indices of readings with a gap before them, which no line may bridge. */
  readonly gaps: () => readonly number[];
  readonly onBrush: (min: number, max: number) => void;
  readonly onHover: (index: number | null) => void;
}

const FONT = "11px 'Inter Variable', system-ui, sans-serif";
const SYNC_KEY = "device";
const AXIS_WIDTH = 48;
const SMALLEST_BRUSH_PX = 8;

type Column = (number | null)[];

/** Columns of the temperature plot: seconds, temperature, expected. */
export function temperatureColumns(readings: readonly Reading[]): [number[], Column, Column] {
  return [
    readings.map((reading) => reading.timestamp / 1000),
    readings.map((reading) => reading.temperature),
    readings.map((reading) => reading.expected),
  ];
}

/** Columns of the score plot: seconds, score. */
export function scoreColumns(readings: readonly Reading[]): [number[], Column] {
  return [
    readings.map((reading) => reading.timestamp / 1000),
    readings.map((reading) => reading.score),
  ];
}

export function temperaturePlot(context: PlotContext): uPlot.Options {
  const { palette } = context;
  return {
    ...frame(context),
    // The lowest label reaches below its line.
    padding: [8, 20, 8, 0],
    scales: {
      x: timeScale(context),
      y: { range: (_plot, low, high) => temperatureRange(low, high) },
    },
    axes: [
      // The labels stand below the score; here only the grid continues.
      { ...timeAxis(palette), size: 0, ticks: { show: false }, values: () => [] },
      {
        ...valueAxis(palette),
        values: (_plot, ticks) => ticks.map((tick) => `${tick}°`),
      },
    ],
    series: [
      {},
      line(context, { stroke: palette.temperature, width: 1.75 }),
      line(context, { stroke: palette.expected, width: 1.5, dash: [5, 4] }),
    ],
    hooks: {
      ...hooks(context),
      drawAxes: [(plot) => drawAnomalyBands(plot, context.readings(), palette)],
      draw: [(plot) => drawAnomalyMarks(plot, context.readings(), palette)],
    },
  };
}

export function scorePlot(context: PlotContext): uPlot.Options {
  const { palette } = context;
  return {
    ...frame(context),
    scales: {
      x: timeScale(context),
      // Straight around the threshold, logarithmic far above it: both stay readable.
      y: {
        distr: 4,
        asinh: 1,
        range: (_plot, _low, high) => [0, Math.max(2, (high ?? 0) * 1.2)],
      },
    },
    axes: [
      timeAxis(palette),
      {
        ...valueAxis(palette),
        splits: (plot) => scoreTicks(plot.scales.y?.max ?? 2),
        filter: (_plot, ticks) => ticks,
        values: (_plot, ticks) => ticks.map(String),
      },
    ],
    series: [{}, line(context, { stroke: palette.score, width: 1.25 })],
    hooks: {
      ...hooks(context),
      drawAxes: [(plot) => drawAnomalyBands(plot, context.readings(), palette)],
      draw: [(plot) => drawThreshold(plot, 1, palette)],
    },
  };
}

function frame({ palette }: PlotContext): Pick<uPlot.Options, FrameKey> {
  return {
    width: 0,
    height: 0,
    // The last time may stand half beyond the end.
    padding: [8, 20, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      sync: { key: SYNC_KEY },
      drag: { x: true, y: false, setScale: false, dist: SMALLEST_BRUSH_PX },
      points: { size: 8, width: 2, stroke: palette.surface },
    },
  };
}

type FrameKey = "width" | "height" | "padding" | "legend" | "cursor";

function timeScale({ view }: PlotContext): uPlot.Scale {
  return {
    time: true,
    range: () => {
      const { min, max } = view();
      return [min / 1000, max / 1000];
    },
  };
}

function timeAxis({ axis, grid }: Palette): uPlot.Axis {
  return {
    font: FONT,
    stroke: axis,
    grid: { stroke: grid, width: 1 },
    ticks: { stroke: grid, width: 1, size: 4 },
    space: 72,
    size: 38,
    values: (_plot, ticks, _axis, _space, increment) => timeLabels(ticks, increment),
  };
}

function valueAxis({ axis, grid }: Palette): uPlot.Axis {
  return {
    font: FONT,
    stroke: axis,
    grid: { stroke: grid, width: 1 },
    ticks: { show: false },
    size: AXIS_WIDTH,
    space: 32,
  };
}

function line(context: PlotContext, style: uPlot.Series): uPlot.Series {
  return {
    ...style,
    points: { show: (plot, series, from, to) => pointsFit(plot, series, from, to), size: 4 },
    gaps: (plot, _series, from, to, nullGaps) =>
      [...nullGaps, ...timeGaps(plot, from, to, context.gaps())].sort((a, b) => a[0] - b[0]),
  };
}

/** Single readings are drawn as points only where they do not run into each other. */
function pointsFit(plot: uPlot, _series: number, from: number, to: number): boolean {
  const width = plot.bbox.width / devicePixelRatio;
  return width / Math.max(1, to - from) > 14;
}

/** Stretches without readings, in canvas pixels: the line breaks there instead of inventing some. */
function timeGaps(
  plot: uPlot,
  from: number,
  to: number,
  indices: readonly number[],
): [number, number][] {
  const times = plot.data[0];
  const gaps: [number, number][] = [];
  for (const index of indices) {
    const before = times[index - 1];
    const here = times[index];
    if (index > from && index <= to && before !== undefined && here !== undefined) {
      gaps.push([plot.valToPos(before, "x", true), plot.valToPos(here, "x", true)]);
    }
  }
  return gaps;
}

function hooks({ onBrush, onHover }: PlotContext): uPlot.Hooks.Arrays {
  return {
    setSelect: [
      (plot) => {
        const { left, width } = plot.select;
        if (width >= SMALLEST_BRUSH_PX) {
          const min = plot.posToVal(left, "x") * 1000;
          const max = plot.posToVal(left + width, "x") * 1000;
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          onBrush(min, max);
        }
      },
    ],
    setCursor: [(plot) => onHover(plot.cursor.idx ?? null)],
  };
}
