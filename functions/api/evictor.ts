import type { EvictFunction, EvictorShape } from '../graph/window-shape.ts';
import type { Duration } from '../shared/duration.ts';
import { MillraceError } from '../shared/errors.ts';
import type { GlobalWindow, TimeWindow } from '../time/windows/window.ts';
import { positiveCount } from './trigger.ts';
import { positive } from './window-assigner.ts';

/** An element of a window, with the timestamp that it came with. */
export interface TimestampedValue<T> {
  readonly value: T;
  readonly timestamp: number | undefined;
}

/** Time as the window operator sees it. */
export interface EvictorContext {
  currentWatermark(): number;
}

/**
 * Takes elements out of a window when it fires, before or after its function runs. Where Flink's evictors remove from an iterator, these
 * give what stays, in order. A window with an evictor keeps all its elements, also for `reduce` and `aggregate`.
 *
 * @see Flink Evictor
 */
export interface Evictor<T, W extends TimeWindow | GlobalWindow> {
  evictBefore?(elements: readonly TimestampedValue<T>[], window: W, ctx: EvictorContext): Iterable<TimestampedValue<unknown>>;
  evictAfter?(elements: readonly TimestampedValue<T>[], window: W, ctx: EvictorContext): Iterable<TimestampedValue<unknown>>;
}

/** An evictor that Millrace knows. */
export interface BuiltInEvictor<T> {
  readonly shape: EvictorShape;
  /** Only for the compiler; never present. */
  readonly '~elements'?: (value: T) => void;
}

/** Keeps the last `maxCount` elements. @param doEvictAfter - Evict when the window function has run. @default false */
export const CountEvictor = /* @__PURE__ */ Object.freeze({
  /** @throws MILLRACE_OPTION_INVALID */
  of: (maxCount: number, doEvictAfter = false): BuiltInEvictor<unknown> =>
    builtIn({ kind: 'count', maxCount: positiveCount('CountEvictor.of', maxCount), after: doEvictAfter }),
});

/** Keeps the elements whose timestamp is less than `keep` before the latest one. */
export const TimeEvictor = /* @__PURE__ */ Object.freeze({
  /** @throws MILLRACE_OPTION_INVALID */
  of: (keep: Duration, doEvictAfter = false): BuiltInEvictor<unknown> =>
    builtIn({ kind: 'time', keepMs: positive('what a TimeEvictor keeps', keep), after: doEvictAfter }),
});

/** Keeps the elements that differ from the last one by less than `threshold`. */
export const DeltaEvictor = /* @__PURE__ */ Object.freeze({
  /** @param delta - Pure: how far `last` is from `element`. @throws MILLRACE_OPTION_INVALID */
  of: <T>(threshold: number, delta: (element: T, last: T) => number, doEvictAfter = false): BuiltInEvictor<T> => {
    if (typeof threshold === 'number' && !Number.isNaN(threshold) && typeof delta === 'function')
      return builtIn({ kind: 'delta', threshold, delta: delta as (from: unknown, to: unknown) => number, after: doEvictAfter });
    throw new MillraceError('MILLRACE_OPTION_INVALID', 'DeltaEvictor.of needs a threshold and a function (element, last) => number');
  },
});

function builtIn<T>(shape: EvictorShape): BuiltInEvictor<T> {
  return Object.freeze({ shape: Object.freeze(shape) });
}

/** An evictor as the runtime calls it. @throws MILLRACE_OPTION_INVALID */
export function toEvictorShape<T, W extends TimeWindow | GlobalWindow>(evictor: Evictor<T, W> | BuiltInEvictor<T>): EvictorShape {
  if ('shape' in evictor) return evictor.shape;
  if (evictor.evictBefore === undefined && evictor.evictAfter === undefined)
    throw new MillraceError(
      'MILLRACE_OPTION_INVALID',
      'evictor() needs an evictor, for example CountEvictor.of(10), or evictBefore or evictAfter',
    );
  return {
    kind: 'custom',
    ...(evictor.evictBefore && { evictBefore: evictor.evictBefore.bind(evictor) as EvictFunction }),
    ...(evictor.evictAfter && { evictAfter: evictor.evictAfter.bind(evictor) as EvictFunction }),
  };
}
