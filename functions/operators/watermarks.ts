import { MillraceError } from '../shared/errors.ts';
import type { Operator, OperatorSetup } from './operator.ts';

/** Assigns event time and lets the stage's watermark generator see it; the generator itself belongs to the task. */
export function watermarksOperator({ node, context, emit }: OperatorSetup<'watermarks'>): Operator {
  const { timestamp, outOfOrdernessMs } = node.strategy;
  return {
    process: (value) => {
      const time = timestamp ? timestamp(value, context.timestamp) : context.timestamp;
      if (time === undefined || !Number.isFinite(time))
        throw new MillraceError(
          'MILLRACE_TIMESTAMP_INVALID',
          `the timestamp assigner returned ${String(time)}: event time is a finite number of ms since the epoch`,
        );
      context.timestamp = time;
      // Flink's bound: everything up to and including the watermark has been seen.
      context.eventTimeSeen = Math.max(context.eventTimeSeen, time - outOfOrdernessMs - 1);
      emit(value);
    },
  };
}
