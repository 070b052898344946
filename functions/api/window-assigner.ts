import type { AssignerShape, WindowTime } from '../graph/window-shape.ts';
import { type Duration, toMilliseconds, toSignedMilliseconds } from '../shared/duration.ts';
import { MillraceError } from '../shared/errors.ts';
import type { GlobalWindow, TimeWindow } from '../time/windows/window.ts';

/** Says which windows an element falls in. `T` is what its elements have to be. */
export interface WindowAssigner<T, W extends TimeWindow | GlobalWindow> {
  readonly shape: AssignerShape;
  /** Only for the compiler; never present. */
  readonly '~windows'?: (value: T) => W;
}

/** Windows of one length, side by side. A record is in one. @see Flink TumblingEventTimeWindows */
export const TumblingEventTimeWindows = /* @__PURE__ */ tumbling('event');

/** As `TumblingEventTimeWindows`, by processing time. @see Flink TumblingProcessingTimeWindows */
export const TumblingProcessingTimeWindows = /* @__PURE__ */ tumbling('processing');

/** Windows of one length that overlap, or leave gaps. A record is in `size / slide` of them. @see Flink SlidingEventTimeWindows */
export const SlidingEventTimeWindows = /* @__PURE__ */ sliding('event');

/** As `SlidingEventTimeWindows`, by processing time. @see Flink SlidingProcessingTimeWindows */
export const SlidingProcessingTimeWindows = /* @__PURE__ */ sliding('processing');

/** Windows that go on as long as records come less than a gap apart; what touches merges. @see Flink EventTimeSessionWindows */
export const EventTimeSessionWindows = /* @__PURE__ */ session('event');

/** As `EventTimeSessionWindows`, by processing time. @see Flink ProcessingTimeSessionWindows */
export const ProcessingTimeSessionWindows = /* @__PURE__ */ session('processing');

/** One window a key, for all time; it fires only when its trigger says so, and is never freed. @see Flink GlobalWindows */
export const GlobalWindows = /* @__PURE__ */ Object.freeze({
  create: (): WindowAssigner<unknown, GlobalWindow> => Object.freeze({ shape: Object.freeze({ kind: 'global' as const }) }),
});

/** Factories of windows of a fixed length. */
export interface TumblingWindows {
  /**
   * @param offset - Moves all bounds, as for days of a time zone; less than `size`, may be negative. Bounds are multiples of `size` since the epoch.
   * @throws MILLRACE_OPTION_INVALID
   */
  of(size: Duration, offset?: Duration): WindowAssigner<unknown, TimeWindow>;
}

/** Factories of windows of a fixed length that begin at fixed distances. */
export interface SlidingWindows {
  /**
   * @param slide - A window begins each `slide`.
   * @param offset - Moves all bounds; less than `slide`, may be negative.
   * @throws MILLRACE_OPTION_INVALID
   */
  of(size: Duration, slide: Duration, offset?: Duration): WindowAssigner<unknown, TimeWindow>;
}

/** Factories of windows that end with a gap. */
export interface SessionWindows {
  /** @throws MILLRACE_OPTION_INVALID */
  withGap(gap: Duration): WindowAssigner<unknown, TimeWindow>;
  /** @param gap - Pure: the gap behind a record, more than 0. */
  withDynamicGap<T>(gap: (value: T) => Duration): WindowAssigner<T, TimeWindow>;
}

function tumbling(time: WindowTime): TumblingWindows {
  return Object.freeze({
    of: (size: Duration, offset?: Duration) => assigner<unknown>(tumblingShape(time, size, offset)),
  });
}

/** @throws MILLRACE_OPTION_INVALID */
export function tumblingShape(time: WindowTime, size: Duration, offset: Duration = 0): AssignerShape {
  const sizeMs = positive('the size of tumbling windows', size);
  return { kind: 'tumbling', time, sizeMs, offsetMs: offsetIn(offset, sizeMs) };
}

function sliding(time: WindowTime): SlidingWindows {
  return Object.freeze({
    of: (size: Duration, slide: Duration, offset: Duration = 0) => {
      const sizeMs = positive('the size of sliding windows', size);
      const slideMs = positive('the slide of sliding windows', slide);
      return assigner({ kind: 'sliding', time, sizeMs, slideMs, offsetMs: offsetIn(offset, slideMs) });
    },
  });
}

function session(time: WindowTime): SessionWindows {
  return Object.freeze({
    withGap: (gap: Duration) => assigner({ kind: 'session', time, gap: positive('the gap of session windows', gap) }),
    withDynamicGap: <T>(gap: (value: T) => Duration): WindowAssigner<T, TimeWindow> => {
      if (typeof gap === 'function') return assigner({ kind: 'session', time, gap: gap as (value: unknown) => unknown });
      throw invalid('withDynamicGap needs a function that gives the gap behind a record');
    },
  });
}

function assigner<T>(shape: AssignerShape): WindowAssigner<T, TimeWindow> {
  return Object.freeze({ shape: Object.freeze(shape) });
}

/** Ms of a duration above 0. @throws MILLRACE_OPTION_INVALID */
export function positive(what: string, duration: Duration): number {
  const ms = toMilliseconds(duration);
  if (ms > 0) return ms;
  throw invalid(`${what} is ${JSON.stringify(duration)}: give more than 0 ms`);
}

function offsetIn(offset: Duration, bound: number): number {
  const ms = toSignedMilliseconds(offset);
  if (Math.abs(ms) < bound) return ms;
  throw invalid(`the offset of windows is ${JSON.stringify(offset)}: give less than ${bound} ms, the distance between their beginnings`);
}

function invalid(message: string): MillraceError {
  return new MillraceError('MILLRACE_OPTION_INVALID', message);
}
