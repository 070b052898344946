import type { WatermarkStrategyShape } from '../graph/logical-graph.ts';
import { type Duration, toMilliseconds } from '../shared/duration.ts';
import { MillraceError } from '../shared/errors.ts';

/**
 * Event time of a record in ms since the epoch. Pure.
 *
 * @param recordTimestamp - The timestamp that the record has so far: of its message in the topic.
 */
export type TimestampAssigner<T> = (value: T, recordTimestamp: number | undefined) => number;

/**
 * The watermark that a record brings, in ms: no record behind it has a smaller or equal timestamp. Undefined if it brings none. Pure.
 *
 * @param timestamp - The record's event time.
 */
export type WatermarkFunction<T> = (value: T, timestamp: number) => number | undefined;

/**
 * How event time is taken from records, and how far they may be out of order. Immutable.
 *
 * @example WatermarkStrategy.forBoundedOutOfOrderness('5 seconds').withTimestampAssigner((flight) => flight.time)
 * @see Flink WatermarkStrategy
 */
export class WatermarkStrategy<T> {
  readonly outOfOrdernessMs: number;
  readonly timestamp?: TimestampAssigner<unknown>;
  readonly watermark?: WatermarkFunction<unknown>;
  readonly idlenessMs?: number;
  /** Only for the compiler; never present. */
  declare readonly '~value'?: (value: T) => void;

  private constructor(shape: WatermarkStrategyShape) {
    this.outOfOrdernessMs = shape.outOfOrdernessMs;
    if (shape.timestamp !== undefined) this.timestamp = shape.timestamp;
    if (shape.watermark !== undefined) this.watermark = shape.watermark;
    if (shape.idlenessMs !== undefined) this.idlenessMs = shape.idlenessMs;
    Object.freeze(this);
  }

  /** The watermark stays behind the largest timestamp seen by `maxOutOfOrderness`; records below it are late. */
  static forBoundedOutOfOrderness(maxOutOfOrderness: Duration): WatermarkStrategy<unknown> {
    return new WatermarkStrategy({ outOfOrdernessMs: toMilliseconds(maxOutOfOrderness) });
  }

  /** Timestamps of a partition only grow. */
  static forMonotonousTimestamps(): WatermarkStrategy<unknown> {
    return new WatermarkStrategy({ outOfOrdernessMs: 0 });
  }

  /**
   * Watermarks by a function of your own, as where records say themselves that a time is over. The task's is the largest so far. It is
   * asked about each record alone: what a generator remembered would be gone with its environment, and a batch that is run again would
   * have other late records.
   *
   * @example WatermarkStrategy.custom((event: Event, timestamp) => (event.kind === 'end-of-day' ? timestamp : undefined))
   * @see Flink WatermarkStrategy `forGenerator`, of which this is the punctuated form
   */
  static custom<V>(watermark: WatermarkFunction<V>): WatermarkStrategy<V> {
    if (typeof watermark !== 'function') {
      throw new MillraceError(
        'MILLRACE_OPTION_INVALID',
        'WatermarkStrategy.custom needs a function (value, timestamp) => ms, or undefined',
      );
    }
    return new WatermarkStrategy<V>({ outOfOrdernessMs: 0, watermark: watermark as WatermarkFunction<unknown> });
  }

  /** Takes the event time from the record; without it, records keep the timestamp of their message. */
  withTimestampAssigner<V extends T>(assigner: TimestampAssigner<V>): WatermarkStrategy<V> {
    if (typeof assigner !== 'function') {
      throw new MillraceError(
        'MILLRACE_OPTION_INVALID',
        'withTimestampAssigner needs a function (value, recordTimestamp) => ms since the epoch',
      );
    }
    return new WatermarkStrategy<V>({ ...(this as WatermarkStrategyShape), timestamp: assigner as TimestampAssigner<unknown> });
  }

  /**
   * A partition of the source that has had no records for `timeout` counts as idle until the next one: it no longer holds back the
   * watermark of tasks that read other partitions too. What it brings afterwards may be late. While all of them are idle, the watermark
   * stays where it is. The clock of the harness measures the time, from when all that is in the partition has been applied.
   *
   * @param timeout - More than 0.
   * @throws MILLRACE_OPTION_INVALID
   * @see Flink WatermarkStrategy `withIdleness`
   */
  withIdleness(timeout: Duration): WatermarkStrategy<T> {
    const idlenessMs = toMilliseconds(timeout);
    if (idlenessMs === 0) throw new MillraceError('MILLRACE_OPTION_INVALID', 'withIdleness needs more than 0');
    return new WatermarkStrategy<T>({ ...(this as WatermarkStrategyShape), idlenessMs });
  }
}
