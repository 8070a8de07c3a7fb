/** The middle of the values, the mean of the middle two when they are even in number; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length % 2 === 1) return sorted[middle] as number;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** The value that so much of the others, from 0 to 1, is at most; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** The same of milliseconds, as it is told to people. */
export function tellPercentile(milliseconds: readonly number[], share: number): string {
  return milliseconds.length === 0 ? 'none' : `${percentile(milliseconds, share).toFixed(1)} ms`;
}
