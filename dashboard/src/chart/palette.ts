/**
 * The chart's colors, read from the style sheet, so that canvas and page always agree.
 *
 * Needs a mounted element: the values depend on the theme that is in force there.
 */

export interface Palette {
  readonly temperature: string;
  readonly expected: string;
  readonly score: string;
  readonly anomaly: string;
  readonly anomalyBand: string;
  readonly surface: string;
  readonly axis: string;
  readonly grid: string;
}

const VARIABLES: Readonly<Record<keyof Palette, string>> = {
  temperature: "--chart-temperature",
  expected: "--chart-expected",
  score: "--chart-score",
  anomaly: "--anomaly",
  anomalyBand: "--anomaly-band",
  surface: "--surface",
  axis: "--text-muted",
  grid: "--line-soft",
};

export function readPalette(element: HTMLElement): Palette {
  // Only a resolved `color` tells what `light-dark()` in a variable comes to.
  const probe = document.createElement("span");
  element.append(probe);
  const resolve = (variable: string): string => {
    probe.style.color = `var(${variable})`;
    return getComputedStyle(probe).color;
  };
  const palette = Object.fromEntries(
    Object.entries(VARIABLES).map(([name, variable]) => [name, resolve(variable)]),
  ) as Record<keyof Palette, string>;
  probe.remove();
  return palette;
}
