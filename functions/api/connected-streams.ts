import type { Key } from '../shared/key.ts';
import type { CoFlatMapFunction, CoMapFunction, CoProcessFunction, KeyedCoProcessFunction } from './co-process-function.ts';
import type { DataStream } from './data-stream.ts';
import type { StateDescriptors } from './state-descriptors.ts';
import type { NoStates } from './window-function.ts';

/** Two streams, of types that may differ, read by one operator. @see Flink ConnectedStreams */
export interface Connected<A, B> {
  map<O>(fn: CoMapFunction<A, B, O>): DataStream<O>;
  flatMap<O>(fn: CoFlatMapFunction<A, B, O>): DataStream<O>;
}

/**
 * Two streams without a key. They meet in a new stage, over one hop, which spreads the records of each by their origin; where both come
 * from one stage, they meet there.
 *
 * @see Flink ConnectedStreams
 */
export interface ConnectedStreams<A, B> extends Connected<A, B> {
  process<O = never>(fn: CoProcessFunction<A, B, O>): DataStream<O>;
  /** Partitions both streams, by keys of one type: records with equal keys meet in one task. */
  keyBy<const K extends Key>(key1: (value: A) => K, key2: (value: B) => NoInfer<K>): KeyedConnectedStreams<A, B, K>;
}

/**
 * Two streams with one key. Records with equal keys, of either, meet in one task of a new stage, over one hop. Event time there is the
 * smaller watermark of the two.
 *
 * @see Flink ConnectedStreams of KeyedStreams
 */
export interface KeyedConnectedStreams<A, B, K extends Key> extends Connected<A, B> {
  /**
   * User code with state and timers, which both streams share. Needs a `.uid()` (or a `.name()`) if it has any.
   *
   * @example
   * orders.keyBy((order) => order.id).connect(payments.keyBy((payment) => payment.order)).process({
   *   state: { order: valueState('order', Types.json<Order>()), paid: valueState('paid', { default: 0 }) },
   *   processElement1(order, ctx) {
   *     ctx.state.order.update(order);
   *   },
   *   *processElement2(payment, ctx) {
   *     const paid = ctx.state.paid.value() + payment.amount;
   *     ctx.state.paid.update(paid);
   *     if (paid >= (ctx.state.order.value()?.total ?? Infinity)) yield { order: ctx.key, paid };
   *   },
   * }).uid('paid-orders')
   */
  process<O = never, const D extends StateDescriptors = NoStates>(fn: KeyedCoProcessFunction<A, B, K, D, O>): DataStream<O>;
}
