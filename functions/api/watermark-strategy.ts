import { type Duration, toMilliseconds } from '../shared/duration.ts';
import { MillraceError } from '../shared/errors.ts';

/**
 * Event time of a record in ms since the epoch. Pure.
 *
 * @param recordTimestamp - The timestamp that the record has so far: of its message in the topic.
 */
export type TimestampAssigner<T> = (value: T, recordTimestamp: number | undefined) => number;

/**
 * How event time is taken from records, and how far they may be out of order. Immutable.
 *
 * @example WatermarkStrategy.forBoundedOutOfOrderness('5 seconds').withTimestampAssigner((flight) => flight.time)
 * @see Flink WatermarkStrategy
 */
export class WatermarkStrategy<T> {
  readonly outOfOrdernessMs: number;
  readonly timestamp?: TimestampAssigner<unknown>;
  /** Only for the compiler; never present. */
  declare readonly '~value'?: (value: T) => void;

  private constructor(outOfOrdernessMs: number, timestamp?: TimestampAssigner<unknown>) {
    this.outOfOrdernessMs = outOfOrdernessMs;
    if (timestamp !== undefined) this.timestamp = timestamp;
    Object.freeze(this);
  }

  /** The watermark stays behind the largest timestamp seen by `maxOutOfOrderness`; records below it are late. */
  static forBoundedOutOfOrderness(maxOutOfOrderness: Duration): WatermarkStrategy<unknown> {
    return new WatermarkStrategy(toMilliseconds(maxOutOfOrderness));
  }

  /** Timestamps of a partition only grow. */
  static forMonotonousTimestamps(): WatermarkStrategy<unknown> {
    return new WatermarkStrategy(0);
  }

  /** Takes the event time from the record; without it, records keep the timestamp of their message. */
  withTimestampAssigner<V>(assigner: TimestampAssigner<V>): WatermarkStrategy<V> {
    if (typeof assigner !== 'function') {
      throw new MillraceError(
        'MILLRACE_OPTION_INVALID',
        'withTimestampAssigner needs a function (value, recordTimestamp) => ms since the epoch',
      );
    }
    return new WatermarkStrategy<V>(this.outOfOrdernessMs, assigner as TimestampAssigner<unknown>);
  }
}
