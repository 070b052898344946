import type { Duration } from '../shared/duration.ts';
import type { Key } from '../shared/key.ts';
import type { GlobalWindow, TimeWindow } from '../time/windows/window.ts';
import type { DataStream } from './data-stream.ts';
import type { BuiltInEvictor, Evictor } from './evictor.ts';
import type { FieldsOf } from './keyed-stream.ts';
import type { LateTag } from './output-tag.ts';
import type { StateDescriptors } from './state-descriptors.ts';
import type { BuiltInTrigger, Trigger } from './trigger.ts';
import type {
  AggregateFunction,
  AllWindowFunction,
  NoStates,
  ProcessAllWindowFunction,
  ProcessWindowFunction,
  WindowFunction,
} from './window-function.ts';

/** What can be said of windows before it is said what becomes of their records, which are `T`. */
export interface WindowSettings<T, W extends TimeWindow | GlobalWindow> {
  /** Decides when windows fire, in place of the assigner's own trigger. @throws MILLRACE_OPTION_INVALID */
  trigger<D extends StateDescriptors = NoStates>(trigger: BuiltInTrigger | Trigger<T, W, D>): this;
  /** Takes elements out of windows that fire. Windows then keep all their elements. @throws MILLRACE_OPTION_INVALID */
  evictor(evictor: BuiltInEvictor<T> | Evictor<T, W>): this;
  /**
   * How long after its end, in event time, a window is kept: late elements still count, and each makes it fire again. @default 0
   *
   * @throws MILLRACE_OPTION_INVALID
   */
  allowedLateness(lateness: Duration): this;
  /** Late records that no window takes any more go to this side output; else they are dropped and counted (`lateRecords`). */
  sideOutputLateData(tag: LateTag<T>): this;
}

/**
 * What windowed streams can do. Calls only record; the functions run later, must be synchronous and deterministic, and what they throw
 * fails one record, or the one timer that made the window fire.
 */
export interface Windowed<T, W extends TimeWindow | GlobalWindow> extends WindowSettings<T, W> {
  /* eslint-disable @typescript-eslint/no-unnecessary-type-parameters -- as in KeyedStream */

  /** The first record of the window, with `field` the sum. */
  sum<F extends FieldsOf<T, number>>(field: F): DataStream<T>;
  /** The first record of the window, with `field` the smallest value. */
  min<F extends FieldsOf<T, number>>(field: F): DataStream<T>;
  /** The first record of the window, with `field` the largest value. */
  max<F extends FieldsOf<T, number>>(field: F): DataStream<T>;
  /** The whole record with the smallest `field`; the first among equals. */
  minBy<F extends FieldsOf<T, number | string>>(field: F): DataStream<T>;
  /** The whole record with the largest `field`; the first among equals. */
  maxBy<F extends FieldsOf<T, number | string>>(field: F): DataStream<T>;

  /* eslint-enable @typescript-eslint/no-unnecessary-type-parameters */

  /**
   * The reduction of the window's records; each window keeps one record. In overlapping windows, records are reduced in stretches of time
   * first, so it must not matter in which order they came.
   */
  reduce(fn: (held: T, next: T) => T): DataStream<T>;
  /** The result of an aggregate function; each window keeps one accumulator. */
  aggregate<Acc, Out>(fn: AggregateFunction<T, Acc, Out>): DataStream<Out>;
}

/**
 * The windows of a key. Its operators keep state, so each needs a `.uid()` (or a `.name()`). Results have the key, and the window's last ms as
 * timestamp.
 *
 * @see Flink WindowedStream
 */
export interface WindowedStream<T, K extends Key, W extends TimeWindow | GlobalWindow> extends Windowed<T, W> {
  /** The number of records. */
  count(): DataStream<{ readonly key: K; readonly window: W; readonly count: number }>;
  reduce(fn: (held: T, next: T) => T): DataStream<T>;
  /** As `reduce(fn)`; the result goes through a window function, which knows key and window. */
  reduce<O = never, const G extends StateDescriptors = NoStates, const S extends StateDescriptors = NoStates>(
    fn: (held: T, next: T) => T,
    windowFn: WindowFunction<T, K, W, O> | ProcessWindowFunction<T, K, W, O, G, S>,
  ): DataStream<O>;
  aggregate<Acc, Out>(fn: AggregateFunction<T, Acc, Out>): DataStream<Out>;
  /** As `aggregate(fn)`; the result goes through a window function, which knows key and window. */
  aggregate<Acc, Out, O = never, const G extends StateDescriptors = NoStates, const S extends StateDescriptors = NoStates>(
    fn: AggregateFunction<T, Acc, Out>,
    windowFn: WindowFunction<NoInfer<Out>, K, W, O> | ProcessWindowFunction<NoInfer<Out>, K, W, O, G, S>,
  ): DataStream<O>;
  /**
   * User code over all elements of a window, which keeps them all: for counts and sums take `aggregate`.
   *
   * @example
   * orders.keyBy((order) => order.customer).window('1 day').process({
   *   *process(customer, day, ctx) {
   *     yield { customer, from: ctx.window.start, orders: day.length };
   *   },
   * }).uid('per-day')
   */
  process<O = never, const G extends StateDescriptors = NoStates, const S extends StateDescriptors = NoStates>(
    fn: ProcessWindowFunction<T, K, W, O, G, S>,
  ): DataStream<O>;
  /** The simple form of `process`: a function of key, window and elements. */
  apply<O = never>(fn: WindowFunction<T, K, W, O>): DataStream<O>;
}

/**
 * The windows of a whole stream, in one task.
 *
 * @see Flink AllWindowedStream
 */
export interface AllWindowedStream<T, W extends TimeWindow | GlobalWindow> extends Windowed<T, W> {
  /** The number of records. */
  count(): DataStream<{ readonly window: W; readonly count: number }>;
  reduce(fn: (held: T, next: T) => T): DataStream<T>;
  reduce<O = never, const G extends StateDescriptors = NoStates, const S extends StateDescriptors = NoStates>(
    fn: (held: T, next: T) => T,
    windowFn: AllWindowFunction<T, W, O> | ProcessAllWindowFunction<T, W, O, G, S>,
  ): DataStream<O>;
  aggregate<Acc, Out>(fn: AggregateFunction<T, Acc, Out>): DataStream<Out>;
  aggregate<Acc, Out, O = never, const G extends StateDescriptors = NoStates, const S extends StateDescriptors = NoStates>(
    fn: AggregateFunction<T, Acc, Out>,
    windowFn: AllWindowFunction<NoInfer<Out>, W, O> | ProcessAllWindowFunction<NoInfer<Out>, W, O, G, S>,
  ): DataStream<O>;
  process<O = never, const G extends StateDescriptors = NoStates, const S extends StateDescriptors = NoStates>(
    fn: ProcessAllWindowFunction<T, W, O, G, S>,
  ): DataStream<O>;
  apply<O = never>(fn: AllWindowFunction<T, W, O>): DataStream<O>;
}
