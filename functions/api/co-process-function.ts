import type { Key } from '../shared/key.ts';
import type { KeyedProcessContext, OnTimerContext, Outputs, ProcessContext } from './process-function.ts';
import type { StateDescriptors } from './state-descriptors.ts';

/** A map function for each of two streams. @see Flink CoMapFunction */
export interface CoMapFunction<A, B, O> {
  map1(value: A): O;
  map2(value: B): O;
}

/** A flatMap function for each of two streams; each puts out the items of the returned iterable. @see Flink CoFlatMapFunction */
export interface CoFlatMapFunction<A, B, O> {
  flatMap1(value: A): Iterable<O>;
  flatMap2(value: B): Iterable<O>;
}

/**
 * A process function of two streams without a key: no state, no timers.
 *
 * @see Flink CoProcessFunction
 */
export interface CoProcessFunction<A, B, O> {
  /** Takes the records of the stream that was connected. Synchronous. What it throws fails this record only. */
  processElement1(value: A, ctx: ProcessContext): Outputs<O>;
  /** Takes the records of the stream that it was connected with. */
  processElement2(value: B, ctx: ProcessContext): Outputs<O>;
  /** State needs a key: call `.keyBy()` on both streams before `.connect()`. */
  readonly state?: never;
  readonly onTimer?: never;
}

/**
 * A process function of two streams with the same key. Both functions see the same state and timers of the key. In which order records of
 * the two streams come is not fixed: what must not depend on it waits in state for the other, or for a timer.
 *
 * @see Flink KeyedCoProcessFunction
 */
export interface KeyedCoProcessFunction<A, B, K extends Key, D extends StateDescriptors, O> {
  readonly state?: D;
  /** Takes the records of the stream that was connected. What it throws fails this record only, and takes back what it did. */
  processElement1(value: A, ctx: KeyedProcessContext<K, D>): Outputs<O>;
  /** Takes the records of the stream that it was connected with. */
  processElement2(value: B, ctx: KeyedProcessContext<K, D>): Outputs<O>;
  /** Called once for each timer, in the order of time, then key. The watermark is the smaller one of the two streams. */
  onTimer?(time: number, ctx: OnTimerContext<K, D>): Outputs<O>;
}
