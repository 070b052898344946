/** Rounds down to a multiple of the interval, so that cuts and restarts change nothing in what is sent on; infinities stay. */
export function roundWatermark(watermark: number, intervalMs: number): number {
  return Number.isFinite(watermark) ? Math.floor(watermark / intervalMs) * intervalMs : watermark;
}

/**
 * A task's watermark: the minimum over all planned upstream tasks. One that has not been heard of counts as −∞, so the result is −∞
 * until `expected` tasks have been.
 */
export function minimumWatermark(heard: ReadonlyMap<string, number>, expected: number): number {
  if (heard.size < expected || heard.size === 0) return -Infinity;
  let minimum = Infinity;
  for (const watermark of heard.values()) if (watermark < minimum) minimum = watermark;
  return minimum;
}
