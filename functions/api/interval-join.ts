import type { Duration } from '../shared/duration.ts';
import type { Key } from '../shared/key.ts';
import type { DataStream } from './data-stream.ts';
import type { LateTag, OutputTag } from './output-tag.ts';
import type { Outputs } from './process-function.ts';

/** What a join function gets beside the pair. It is valid during the call only, and all in it is deterministic. */
export interface ProcessJoinContext<K extends Key> {
  readonly key: K;
  /** Event time of the left record in ms. */
  readonly leftTimestamp: number;
  readonly rightTimestamp: number;
  /** The later one of the two: what results have. */
  readonly timestamp: number;
  /** Hands a value to a side output. */
  output<T>(tag: OutputTag<T>, value: NoInfer<T>): void;
  /** A number in [0, 1), the same whenever this pair is processed again. */
  random(): number;
  /** A version 4 UUID, the same whenever this pair is processed again. */
  uuid(): string;
}

/** Makes results of one pair of records with equal keys. @see Flink ProcessJoinFunction */
export interface ProcessJoinFunction<A, B, K extends Key, O> {
  /** Synchronous. What it throws fails the later one of the two records to arrive. */
  processElement(left: A, right: B, ctx: ProcessJoinContext<K>): Outputs<O>;
}

/** @see Flink KeyedStream.IntervalJoin */
export interface IntervalJoin<A, B, K extends Key> {
  /**
   * Pairs of which the right record is between `lower` and `upper` later than the left one, in event time, both inclusive; negative is
   * earlier.
   *
   * @example between('-5 minutes', '1 hour')
   */
  between(lower: Duration, upper: Duration): IntervalJoined<A, B, K>;
}

/** @see Flink KeyedStream.IntervalJoined */
export interface IntervalJoined<A, B, K extends Key> {
  /** A right record exactly `lower` later is no pair any more. */
  lowerBoundExclusive(): this;
  /** A right record exactly `upper` later is no pair any more. */
  upperBoundExclusive(): this;
  /** Left records behind the watermark go to this side output; else they are dropped and counted (`lateRecords`). */
  sideOutputLeftLateData(tag: LateTag<A>): this;
  /** Right records behind the watermark go to this side output; else they are dropped and counted (`lateRecords`). */
  sideOutputRightLateData(tag: LateTag<B>): this;
  /**
   * Calls `fn` for each pair, once, as soon as both records are there. A record is kept until the watermark says that no other one can
   * meet it. Needs a `.uid()` (or a `.name()`).
   *
   * @throws MILLRACE_OPTION_INVALID while planning, if no time is between the bounds.
   */
  process<O = never>(fn: ProcessJoinFunction<A, B, K, O>): DataStream<O>;
}
