/** Rounds down to a multiple of the interval, so that cuts and restarts change nothing in what is sent on; infinities stay. */
export function roundWatermark(watermark: number, intervalMs: number): number {
  return Number.isFinite(watermark) ? Math.floor(watermark / intervalMs) * intervalMs : watermark;
}

/**
 * The watermark that a task's upstream tasks allow: the minimum over all that are planned and not idle. One that has not been heard of
 * counts as −∞, so the result is −∞ until `expected` tasks have been. It is −∞ as well where idle ones are all that is left: they hold
 * nothing back, and nothing speaks for more than the task has.
 *
 * @param idle - Upstream tasks without input; none that has ended.
 */
export function minimumWatermark(heard: ReadonlyMap<string, number>, idle: ReadonlySet<string>, expected: number): number {
  let minimum = Infinity;
  let known = idle.size;
  for (const [upstream, watermark] of heard) {
    if (idle.has(upstream)) continue;
    known++;
    if (watermark < minimum) minimum = watermark;
  }
  if (known < expected || known === 0) return -Infinity;
  if (minimum === Infinity && idle.size > 0) return -Infinity; // only when all have ended is it the end
  return minimum;
}

/** Whether no upstream task has anything to say: each is idle, or has ended, and at least one is idle. */
export function areAllIdle(heard: ReadonlyMap<string, number>, idle: ReadonlySet<string>, expected: number): boolean {
  let known = idle.size;
  for (const [upstream, watermark] of heard) {
    if (idle.has(upstream)) continue;
    if (watermark < Infinity) return false;
    known++;
  }
  return idle.size > 0 && known >= expected;
}
