import type { Key } from '../shared/key.ts';
import type { KeyedProcessContext, OnTimerContext, Outputs, ProcessContext } from './process-function.ts';
import type { MapState } from './state.ts';
import type { StateDescriptor, StateDescriptors } from './state-descriptors.ts';

/** What can be read of a map state. @see Flink ReadOnlyBroadcastState */
export type ReadOnlyMapState<K extends string | number, V> = Pick<
  MapState<K, V>,
  'get' | 'has' | 'keys' | 'values' | 'entries' | 'isEmpty'
>;

/** Reads broadcast state. */
export interface BroadcastReader {
  /** What this task has of a state that `broadcast()` was given: to read only, as each task must have the same. */
  getBroadcastState<K extends string | number, V>(descriptor: StateDescriptor<MapState<K, V>>): ReadOnlyMapState<K, V>;
}

/** Writes broadcast state. */
export interface BroadcastWriter {
  /**
   * What this task has of a state that `broadcast()` was given. Each task gets each record of the stream that is broadcast, and keeps a copy of
   * the state, so what is written must depend on these records alone.
   */
  getBroadcastState<K extends string | number, V>(descriptor: StateDescriptor<MapState<K, V>>): MapState<K, V>;
  currentWatermark(): number;
  currentProcessingTime(): number;
}

/** What `processBroadcastElement` gets. */
export interface BroadcastContext extends ProcessContext, BroadcastWriter {}

/** What `processElement` of a stream without a key gets. */
export interface ReadOnlyBroadcastContext extends ProcessContext, BroadcastReader {
  currentWatermark(): number;
  currentProcessingTime(): number;
}

/** What `processBroadcastElement` behind a keyed stream gets. */
export interface KeyedBroadcastContext extends BroadcastContext {
  /**
   * Calls `fn` for each key of this task that has something in one of the function's states, in the order of the keys; it may change it.
   * Reads all of them: the more keys, the longer.
   *
   * @see Flink `applyToKeyedState`
   */
  applyToKeyedState<S>(descriptor: StateDescriptor<S>, fn: (key: Key, state: S) => void): void;
}

/**
 * A process function of a stream without a key and one that is broadcast: no timers, and no state but that of the broadcast.
 *
 * @see Flink BroadcastProcessFunction
 */
export interface BroadcastProcessFunction<T, B, O> {
  processElement(value: T, ctx: ReadOnlyBroadcastContext): Outputs<O>;
  /** Called in every task for every record that is broadcast: what it puts out, each task does. */
  processBroadcastElement(value: B, ctx: BroadcastContext): Outputs<O>;
  /** State needs a key: call `.keyBy()` before `.connect()`. */
  readonly state?: never;
  readonly onTimer?: never;
}

/**
 * A process function of a keyed stream and one that is broadcast, with state and timers of the key.
 *
 * @see Flink KeyedBroadcastProcessFunction
 */
export interface KeyedBroadcastProcessFunction<T, B, K extends Key, D extends StateDescriptors, O> {
  readonly state?: D;
  processElement(value: T, ctx: KeyedProcessContext<K, D> & BroadcastReader): Outputs<O>;
  /** Called in every task for every record that is broadcast: what it puts out, each task does. It has no key. */
  processBroadcastElement(value: B, ctx: KeyedBroadcastContext): Outputs<O>;
  onTimer?(time: number, ctx: OnTimerContext<K, D> & BroadcastReader): Outputs<O>;
}
