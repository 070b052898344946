/** One line of a benchmark's result. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The same work by hand, in the same unit; null where there is no such thing. */
  readonly floor: number | null;
  /** value / floor, or floor / value where more is better. */
  readonly ratio: number | null;
  /** Bound of the ratio, or of the value where there is no floor. */
  readonly goal: number;
  readonly ok: boolean;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
