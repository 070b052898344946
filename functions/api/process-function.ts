import type { Key } from '../shared/key.ts';
import type { OutputTag } from './output-tag.ts';
import type { StateDescriptors, StatesOf } from './state-descriptors.ts';

/** What a process function may put out: any iterable (a generator, an array), or nothing. */
// eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- functions that return nothing are meant
export type Outputs<O> = Iterable<O> | undefined | void;

/**
 * What every process function gets. It is valid during the call only. Everything in it is deterministic: a batch that is run again sees
 * the same values, so use these in place of `Math.random`, `crypto.randomUUID` and `Date.now`.
 */
export interface ProcessContext {
  /** Event time of the record in ms; in `onTimer`, the time of an event-time timer. Undefined where there is none. */
  readonly timestamp: number | undefined;
  /** Hands a value to a side output. */
  output<T>(tag: OutputTag<T>, value: NoInfer<T>): void;
  /** A number in [0, 1), the same whenever this record is processed again. */
  random(): number;
  /** A version 4 UUID, the same whenever this record is processed again. */
  uuid(): string;
}

/** Time as this operator sees it, and its timers for the current key. One timer a key, domain and time: setting it twice sets it once. */
export interface TimerService {
  /** Event time up to which all records are in, in ms; −∞ in the beginning, +∞ when a bounded input has ended. */
  currentWatermark(): number;
  /** Largest log append time seen, in ms: it moves with the input, not with the wall clock. */
  currentProcessingTime(): number;
  /** Calls `onTimer` when the watermark reaches `time`, in ms. */
  registerEventTimeTimer(time: number): void;
  registerProcessingTimeTimer(time: number): void;
  deleteEventTimeTimer(time: number): void;
  deleteProcessingTimeTimer(time: number): void;
}

/** What a process function on a keyed stream gets. */
export interface KeyedProcessContext<K extends Key, D extends StateDescriptors> extends ProcessContext {
  readonly key: K;
  /** The declared states, for the current key. */
  readonly state: StatesOf<D>;
  readonly timerService: TimerService;
}

/** What `onTimer` gets. */
export interface OnTimerContext<K extends Key, D extends StateDescriptors> extends KeyedProcessContext<K, D> {
  readonly timeDomain: 'event' | 'processing';
}

/**
 * A process function without a key: no state, no timers.
 *
 * @see Flink ProcessFunction
 */
export interface ProcessFunction<T, O> {
  /** Synchronous. What it throws fails this record only. Its outputs keep the record's timestamp. */
  processElement(value: T, ctx: ProcessContext): Outputs<O>;
  /** State needs a key: call `.keyBy()` before `.process()`. */
  readonly state?: never;
  readonly onTimer?: never;
}

/**
 * A process function under a key, with state and timers.
 *
 * @see Flink KeyedProcessFunction
 */
export interface KeyedProcessFunction<T, K extends Key, D extends StateDescriptors, O> {
  readonly state?: D;
  /** Synchronous. What it throws fails this record only, and takes back what it did. Its outputs keep the record's timestamp. */
  processElement(value: T, ctx: KeyedProcessContext<K, D>): Outputs<O>;
  /** Called once for each timer, in the order of time, then key. Outputs get the timer's time as timestamp. */
  onTimer?(time: number, ctx: OnTimerContext<K, D>): Outputs<O>;
}
