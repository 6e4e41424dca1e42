/**
 * What is drawn over and under the lines: bands and diamonds at anomalies, the threshold.
 *
 * Anomalies differ from normal readings by shape and band, not by color alone.
 */
import type uPlot from "uplot";
import type { Reading } from "../api/types.ts";
import type { Palette } from "./palette.ts";

const MARK_RADIUS_PX = 5;
/** Of marks that would hide each other, one in each square of this size is drawn. */
const MARK_DISTANCE_PX = 6;
const BAND_MIN_WIDTH_PX = 3;

/** A diamond on each anomalous temperature in view. */
export function drawAnomalyMarks(
  plot: uPlot,
  readings: readonly Reading[],
  palette: Palette,
): void {
  const { ctx } = plot;
  const radius = MARK_RADIUS_PX * devicePixelRatio;
  const distance = MARK_DISTANCE_PX * devicePixelRatio;
  const taken = new Set<string>();
  inClip(plot, () => {
    ctx.fillStyle = palette.anomaly;
    ctx.strokeStyle = palette.surface;
    ctx.lineWidth = 1.5 * devicePixelRatio;
    for (const reading of inView(plot, readings)) {
      if (!reading.anomaly) {
        continue;
      }
      const x = plot.valToPos(reading.timestamp / 1000, "x", true);
      const y = plot.valToPos(reading.temperature, "y", true);
      const square = `${Math.round(x / distance)} ${Math.round(y / distance)}`;
      if (taken.has(square)) {
        continue;
      }
      taken.add(square);
      ctx.beginPath();
      ctx.moveTo(x, y - radius);
      ctx.lineTo(x + radius, y);
      ctx.lineTo(x, y + radius);
      ctx.lineTo(x - radius, y);
      ctx.closePath();
      ctx.stroke();
      ctx.fill();
    }
  });
}

/** A shaded band behind each run of anomalous readings. */
export function drawAnomalyBands(
  plot: uPlot,
  readings: readonly Reading[],
  palette: Palette,
): void {
  const { ctx, bbox } = plot;
  const least = BAND_MIN_WIDTH_PX * devicePixelRatio;
  inClip(plot, () => {
    ctx.fillStyle = palette.anomalyBand;
    let drawnTo = bbox.left;
    for (const [from, to] of anomalyRuns(inView(plot, readings))) {
      const start = plot.valToPos(from / 1000, "x", true);
      const end = plot.valToPos(to / 1000, "x", true);
      const missing = Math.max(0, least - (end - start)) / 2;
      // Bands that touch are one: drawn twice, they would look twice as bad.
      const left = Math.max(start - missing, drawnTo);
      drawnTo = Math.max(drawnTo, end + missing);
      ctx.fillRect(left, bbox.top, drawnTo - left, bbox.height);
    }
  });
}

/** A dashed line at the threshold of the score. */
export function drawThreshold(plot: uPlot, threshold: number, palette: Palette): void {
  const { ctx, bbox } = plot;
  const y = Math.round(plot.valToPos(threshold, "y", true)) + 0.5;
  inClip(plot, () => {
    ctx.strokeStyle = palette.anomaly;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  });
}

/** First and last time of each run of anomalous readings. */
export function anomalyRuns(readings: Iterable<Reading>): [number, number][] {
  const runs: [number, number][] = [];
  let open: [number, number] | null = null;
  for (const reading of readings) {
    if (!reading.anomaly) {
      open = null;
    } else if (open === null) {
      open = [reading.timestamp, reading.timestamp];
      runs.push(open);
    } else {
      open[1] = reading.timestamp;
    }
  }
  return runs;
}

/** The readings that the plot shows. */
function inView(plot: uPlot, readings: readonly Reading[]): readonly Reading[] {
  const [from, to] = plot.series[0]?.idxs ?? [0, -1];
  return readings.slice(from, to + 1);
}

function inClip(plot: uPlot, draw: () => void): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  draw();
  ctx.restore();
}
