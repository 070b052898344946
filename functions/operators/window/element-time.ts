import { MillraceError } from '../../shared/errors.ts';
import type { WindowTime } from '../../graph/window-shape.ts';
import { eventTime } from '../event-time.ts';
import type { RecordContext } from '../record-context.ts';

/** The time that assigns an element to windows. @throws MILLRACE_TIMESTAMP_INVALID */
export function elementTime(time: WindowTime, context: RecordContext): number {
  return time === 'event'
    ? eventTime(context.timestamp, 'event-time window', ', or take windows of processing time')
    : processingTime(context.processingTime);
}

function processingTime(now: number): number {
  if (Number.isFinite(now)) return now;
  throw new MillraceError(
    'MILLRACE_TIMESTAMP_INVALID',
    'a record came to a processing-time window, but its topic has no log append time: ' +
      'set message.timestamp.type=LogAppendTime on the topic, or put a .hop() before the window',
  );
}
