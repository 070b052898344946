import type { Duration } from '../shared/duration.ts';
import type { Key } from '../shared/key.ts';
import type { GlobalWindow, TimeWindow } from '../time/windows/window.ts';
import type { BroadcastStream, KeyedBroadcastConnectedStream } from './broadcast-stream.ts';
import type { KeyedConnectedStreams } from './connected-streams.ts';
import type { DataStream, Stream } from './data-stream.ts';
import type { IntervalJoin } from './interval-join.ts';
import type { KeyedProcessFunction } from './process-function.ts';
import type { StateDescriptors } from './state-descriptors.ts';
import type { TemporalJoin, TemporalJoinOptions } from './temporal-join.ts';
import type { WindowAssigner } from './window-assigner.ts';
import type { WindowedStream } from './windowed-stream.ts';

/** The fields of `T` whose values extend `V`. */
export type FieldsOf<T, V> = { [P in keyof T & string]-?: T[P] extends V ? P : never }[keyof T & string];

/**
 * A stream partitioned by key. Its own operators keep state, so each needs a `.uid()` (or a `.name()`); each puts out one result a
 * record. What does not use the key (`map`, `filter` …) gives a stream without one.
 *
 * @see Flink KeyedStream
 */
export interface KeyedStream<T, K extends Key> extends Stream<T> {
  /** The reduction of all records of the key so far; the first one as it is. Pure. */
  reduce(fn: (held: T, next: T) => T): DataStream<T>;

  // With `FieldsOf<T>` as the type of the parameter itself, the compiler would not take a stream for one of a wider type.
  /* eslint-disable @typescript-eslint/no-unnecessary-type-parameters */

  /** The first record of the key, with `field` the sum so far. */
  sum<F extends FieldsOf<T, number>>(field: F): DataStream<T>;
  /** The first record of the key, with `field` the smallest value so far. */
  min<F extends FieldsOf<T, number>>(field: F): DataStream<T>;
  /** The first record of the key, with `field` the largest value so far. */
  max<F extends FieldsOf<T, number>>(field: F): DataStream<T>;
  /** The whole record with the smallest `field` so far; the first among equals. */
  minBy<F extends FieldsOf<T, number | string>>(field: F): DataStream<T>;
  /** The whole record with the largest `field` so far; the first among equals. */
  maxBy<F extends FieldsOf<T, number | string>>(field: F): DataStream<T>;

  /* eslint-enable @typescript-eslint/no-unnecessary-type-parameters */

  /** The number of records of the key so far. */
  count(): DataStream<{ readonly key: K; readonly count: number }>;

  /**
   * Groups the records of each key by time. A duration stands for tumbling windows of event time.
   *
   * @example stream.keyBy((flight) => flight.origin).window(TumblingEventTimeWindows.of('1 hour')).count().uid('per-hour')
   * @see Flink KeyedStream `window`
   */
  window<W extends TimeWindow | GlobalWindow>(assigner: WindowAssigner<T, W>): WindowedStream<T, K, W>;
  window(size: Duration): WindowedStream<T, K, TimeWindow>;
  /**
   * Windows of `size` records of a key; with `slide`, the last `size` records at each `slide`-th. What is not full at the end of the input is
   * not put out.
   */
  countWindow(size: number, slide?: number): WindowedStream<T, K, GlobalWindow>;

  /**
   * Reads this stream and another one with a key of the same type, in one operator that tells them apart and has state under the key.
   *
   * @see Flink KeyedStream `connect`
   */
  connect<B>(other: KeyedStream<B, K>): KeyedConnectedStreams<T, B, K>;
  /** Reads the records of a key in one task, and every record that is broadcast in all of them. @see Flink BroadcastConnectedStream */
  connect<B>(other: BroadcastStream<B>): KeyedBroadcastConnectedStream<T, B, K>;

  /**
   * Pairs of records of this stream and another one that have equal keys and are less than an interval apart in event time.
   *
   * @example
   * orders.keyBy((order) => order.id).intervalJoin(payments.keyBy((payment) => payment.order)).between('-1 minute', '1 hour')
   *   .process({ processElement: (order, payment) => [{ ...order, paid: payment.amount }] }).uid('paid')
   * @see Flink KeyedStream `intervalJoin`
   */
  intervalJoin<B>(other: KeyedStream<B, K>): IntervalJoin<T, B, K>;

  /**
   * Each record with the version of its key that was valid at its event time: the latest one of `versions` up to then.
   *
   * @example
   * orders.keyBy((order) => order.currency).temporalJoin(rates.keyBy((rate) => rate.currency))
   *   .apply((order, rate) => ({ ...order, euros: order.amount * rate.euros })).uid('in-euros')
   * @see Flink SQL `JOIN … FOR SYSTEM_TIME AS OF`
   */
  temporalJoin<V>(versions: KeyedStream<V, K>, options?: { readonly type?: 'inner' }): TemporalJoin<T, V, K>;
  temporalJoin<V>(versions: KeyedStream<V, K>, options: TemporalJoinOptions): TemporalJoin<T, V | undefined, K>;

  /**
   * User code with state, timers and side outputs.
   *
   * @example
   * stream.keyBy((flight) => flight.origin).process({
   *   state: { seen: valueState('seen', { default: 0 }) },
   *   *processElement(flight, ctx) {
   *     const seen = ctx.state.seen.value() + 1;
   *     ctx.state.seen.update(seen);
   *     yield { origin: ctx.key, seen };
   *   },
   * }).uid('flights-per-origin')
   */
  // eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- without `state` there is nothing in ctx.state
  process<O = never, const D extends StateDescriptors = Readonly<Record<never, never>>>(
    fn: KeyedProcessFunction<T, K, D, O>,
  ): DataStream<O>;
}
