import { MillraceError } from '../shared/errors.ts';

/**
 * The event time of a record, where it must have one.
 *
 * @param to - What it came to, for the message.
 * @param instead - What else could be done.
 * @throws MILLRACE_TIMESTAMP_INVALID
 */
export function eventTime(timestamp: number | undefined, to: string, instead = ''): number {
  if (timestamp !== undefined && timestamp >= 0 && timestamp <= Number.MAX_SAFE_INTEGER) return timestamp;
  throw new MillraceError(
    'MILLRACE_TIMESTAMP_INVALID',
    `a record with timestamp ${String(timestamp)} came to an ${to}: event time is ms since the epoch, at least 0. ` +
      `Give records one with .assignTimestampsAndWatermarks(…)${instead}`,
  );
}
