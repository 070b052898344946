import { MillraceError } from '../../shared/errors.ts';
import type { WindowTime } from '../../graph/window-shape.ts';
import type { RecordContext } from '../record-context.ts';

/** The time that assigns an element to windows. @throws MILLRACE_TIMESTAMP_INVALID */
export function elementTime(time: WindowTime, context: RecordContext): number {
  return time === 'event' ? eventTime(context.timestamp) : processingTime(context.processingTime);
}

function eventTime(timestamp: number | undefined): number {
  if (timestamp !== undefined && timestamp >= 0 && timestamp <= Number.MAX_SAFE_INTEGER) return timestamp;
  throw new MillraceError(
    'MILLRACE_TIMESTAMP_INVALID',
    `a record with timestamp ${String(timestamp)} came to an event-time window: event time is ms since the epoch, at least 0. ` +
      'Give records one with .assignTimestampsAndWatermarks(…), or take windows of processing time',
  );
}

function processingTime(now: number): number {
  if (Number.isFinite(now)) return now;
  throw new MillraceError(
    'MILLRACE_TIMESTAMP_INVALID',
    'a record came to a processing-time window, but its topic has no log append time: ' +
      'set message.timestamp.type=LogAppendTime on the topic, or put a .hop() before the window',
  );
}
