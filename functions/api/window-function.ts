import type { Key } from '../shared/key.ts';
import type { GlobalWindow, TimeWindow } from '../time/windows/window.ts';
import type { OutputTag } from './output-tag.ts';
import type { Outputs } from './process-function.ts';
import type { StateDescriptors, StatesOf } from './state-descriptors.ts';

/** No states. */
// eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- nothing is in it
export type NoStates = Readonly<Record<never, never>>;

/** What a window function gets beside the elements. It is valid during the call only, and all in it is deterministic. */
export interface WindowContext<W extends TimeWindow | GlobalWindow, G extends StateDescriptors, S extends StateDescriptors> {
  readonly window: W;
  /** Of this key, over all its windows. */
  readonly globalState: StatesOf<G>;
  /** Of this key and window; freed with it. */
  readonly windowState: StatesOf<S>;
  currentWatermark(): number;
  currentProcessingTime(): number;
  /** Hands a value to a side output. */
  output<T>(tag: OutputTag<T>, value: NoInfer<T>): void;
  /** A number in [0, 1), the same whenever this is processed again. */
  random(): number;
  /** A version 4 UUID, the same whenever this is processed again. */
  uuid(): string;
}

/**
 * Makes results of a window that fires. Results have the window's last ms as timestamp.
 *
 * @see Flink ProcessWindowFunction
 */
export interface ProcessWindowFunction<
  T,
  K extends Key,
  W extends TimeWindow | GlobalWindow,
  O,
  G extends StateDescriptors = NoStates,
  S extends StateDescriptors = NoStates,
> {
  readonly globalState?: G;
  /** Not with session windows, which merge. */
  readonly windowState?: S;
  /** @param elements - In order of arrival; behind `reduce` or `aggregate` the one result. */
  process(key: K, elements: readonly T[], ctx: WindowContext<W, G, S>): Outputs<O>;
}

/** As `ProcessWindowFunction`, for windows over a whole stream. @see Flink ProcessAllWindowFunction */
export interface ProcessAllWindowFunction<
  T,
  W extends TimeWindow | GlobalWindow,
  O,
  G extends StateDescriptors = NoStates,
  S extends StateDescriptors = NoStates,
> {
  readonly globalState?: G;
  readonly windowState?: S;
  process(elements: readonly T[], ctx: WindowContext<W, G, S>): Outputs<O>;
}

/** The simple form. @see Flink WindowFunction */
export type WindowFunction<T, K extends Key, W extends TimeWindow | GlobalWindow, O> = (
  key: K,
  window: W,
  elements: readonly T[],
) => Outputs<O>;

/** @see Flink AllWindowFunction */
export type AllWindowFunction<T, W extends TimeWindow | GlobalWindow, O> = (window: W, elements: readonly T[]) => Outputs<O>;

/** Flink's AggregateFunction. All are pure; `add` and `merge` may change and return the accumulator that they were given first. */
export interface AggregateFunction<In, Acc, Out> {
  createAccumulator(): Acc;
  add(accumulator: Acc, value: In): Acc;
  getResult(accumulator: Acc): Out;
  /** Session windows need it; with it, overlapping windows share work. */
  merge?(left: Acc, right: Acc): Acc;
}
