import type { Key } from '../shared/key.ts';
import type { BroadcastProcessFunction, KeyedBroadcastProcessFunction } from './broadcast-process-function.ts';
import type { DataStream } from './data-stream.ts';
import type { MapState } from './state.ts';
import type { StateDescriptor, StateDescriptors } from './state-descriptors.ts';
import type { NoStates } from './window-function.ts';

/** A stream whose every record goes to every task of the stream that is connected with it. @see Flink BroadcastStream */
export interface BroadcastStream<B> {
  /** What each task keeps of it. */
  readonly states: readonly StateDescriptor<MapState<string | number, unknown>>[];
  /** Only for the compiler; never present. */
  readonly '~broadcast'?: () => B;
}

/** @see Flink BroadcastConnectedStream */
export interface BroadcastConnectedStream<T, B> {
  /** Needs a `.uid()` (or a `.name()`): what is broadcast is kept as state. */
  process<O = never>(fn: BroadcastProcessFunction<T, B, O>): DataStream<O>;
}

/** As `BroadcastConnectedStream`, of a keyed stream. @see Flink BroadcastConnectedStream */
export interface KeyedBroadcastConnectedStream<T, B, K extends Key> {
  /**
   * Needs a `.uid()` (or a `.name()`): what is broadcast is kept as state.
   *
   * @example
   * const limits = mapState('limits', Types.string, Types.number);
   * orders.keyBy((order) => order.customer).connect(changes.broadcast(limits)).process({
   *   processElement: (order, ctx) => (order.amount > (ctx.getBroadcastState(limits).get(ctx.key) ?? 100) ? [order] : []),
   *   processBroadcastElement(change, ctx) {
   *     ctx.getBroadcastState(limits).put(change.customer, change.limit);
   *   },
   * }).uid('over-limit')
   */
  process<O = never, const D extends StateDescriptors = NoStates>(fn: KeyedBroadcastProcessFunction<T, B, K, D, O>): DataStream<O>;
}
