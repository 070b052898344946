/** An event time in ms, for people. The greatest Date is far below the greatest number. */
export function describeTime(ms: number): string {
  if (!Number.isFinite(ms)) return ms > 0 ? '+∞' : '-∞';
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms);
}

/** The same for machines: JSON has no infinite numbers, so they are text. */
export function jsonTime(ms: number): number | string {
  return Number.isFinite(ms) ? ms : String(ms);
}
