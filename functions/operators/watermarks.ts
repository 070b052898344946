import { MillraceError } from '../shared/errors.ts';
import type { Operator, OperatorSetup } from './operator.ts';

/** Assigns event time and lets the stage's watermark generator see it; the generator itself belongs to the task. */
export function watermarksOperator({ node, context, emit }: OperatorSetup<'watermarks'>): Operator {
  const { timestamp, watermark, outOfOrdernessMs } = node.strategy;
  return {
    process: (value) => {
      const time = finite(timestamp ? timestamp(value, context.timestamp) : context.timestamp, 'the timestamp assigner');
      context.timestamp = time;
      // Flink's bound: everything up to and including the watermark has been seen.
      const seen = watermark ? watermark(value, time) : time - outOfOrdernessMs - 1;
      if (seen !== undefined) context.eventTimeSeen = Math.max(context.eventTimeSeen, finite(seen, 'the watermark function'));
      emit(value);
    },
  };
}

function finite(time: number | undefined, of: string): number {
  if (time !== undefined && Number.isFinite(time)) return time;
  throw new MillraceError(
    'MILLRACE_TIMESTAMP_INVALID',
    `${of} returned ${String(time)}: event time is a finite number of ms since the epoch`,
  );
}
