/** Each bucket is this much wider than the one before: a quantile is exact to 2 %. */
const GROWTH = Math.log(1.04);

/** Counts durations in buckets that widen with the duration: constant memory, however long it runs. */
export class LatencyHistogram {
  private readonly counts: number[] = [];
  private total = 0;

  /** Adds `count` durations of `ms`; less than 0 (clocks) counts as 0. */
  add(ms: number, count: number): void {
    const bucket = ms <= 0 ? 0 : Math.ceil(Math.log(ms + 1) / GROWTH);
    this.counts[bucket] = (this.counts[bucket] ?? 0) + count;
    this.total += count;
  }

  /** Adds `count` durations spread evenly between two. */
  addRange(fromMs: number, toMs: number, count: number): void {
    const steps = Math.min(8, count, fromMs === toMs ? 1 : 8);
    for (let i = 0; i < steps; i++) this.add(fromMs + ((toMs - fromMs) * (i + 0.5)) / steps, count / steps);
  }

  /** A histogram of these and all durations of `others`. */
  plus(others: readonly LatencyHistogram[]): LatencyHistogram {
    const sum = new LatencyHistogram();
    for (const { counts, total } of [this, ...others]) {
      counts.forEach((count, bucket) => (sum.counts[bucket] = (sum.counts[bucket] ?? 0) + count));
      sum.total += total;
    }
    return sum;
  }

  /** Duration in ms that the fraction `q` of all stays within; undefined without any. */
  quantile(q: number): number | undefined {
    if (this.total === 0) return undefined;
    let left = q * this.total;
    let bucket = 0;
    for (; bucket < this.counts.length - 1; bucket++) {
      left -= this.counts[bucket] ?? 0;
      if (left <= 1e-9) break;
    }
    return bucket === 0 ? 0 : Math.exp((bucket - 0.5) * GROWTH) - 1;
  }
}
