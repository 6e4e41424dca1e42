/** Numbers as text, in widths that stay still while values change. Pure. */

/** Shown where there is no value yet. */
export const NO_VALUE = "–";

/** Degrees Celsius without the unit: one decimal. */
export function formatCelsius(value: number | null): string {
  return value === null ? NO_VALUE : fixed(value, 1);
}

/** A reconstruction error: three decimals, powers of ten where those would hide it. */
export function formatError(value: number | null): string {
  if (value === null) {
    return NO_VALUE;
  }
  return value !== 0 && Math.abs(value) < 0.0005 ? value.toExponential(1) : fixed(value, 3);
}

/** A score, where 1 is the threshold: two decimals, fewer for large ones. */
export function formatScore(value: number | null): string {
  if (value === null) {
    return NO_VALUE;
  }
  return fixed(value, Math.abs(value) >= 100 ? 0 : 2);
}

const countFormat = new Intl.NumberFormat("en-US");

export function formatCount(value: number): string {
  return countFormat.format(value);
}

/** Values far outside any column's width turn to powers of ten. */
function fixed(value: number, digits: number): string {
  return Math.abs(value) >= 1e5 ? value.toExponential(1) : value.toFixed(digits);
}
