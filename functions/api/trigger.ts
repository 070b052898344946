import type { CustomTriggerShape, TriggerResult, TriggerShape } from '../graph/window-shape.ts';
import type { Duration } from '../shared/duration.ts';
import { MillraceError } from '../shared/errors.ts';
import type { GlobalWindow, TimeWindow } from '../time/windows/window.ts';
import type { StateDescriptor, StateDescriptors, StatesOf } from './state-descriptors.ts';
import { checkStateNames } from './process-shape.ts';
import { positive } from './window-assigner.ts';
import type { NoStates } from './window-function.ts';

/** A trigger that Millrace knows, or one made of those. */
export interface BuiltInTrigger {
  readonly shape: TriggerShape;
}

/** Time as the window operator sees it, and the timers and state of the window that the trigger is called for. */
export interface TriggerContext<D extends StateDescriptors> {
  /** The declared states, of this key and window. */
  readonly state: StatesOf<D>;
  currentWatermark(): number;
  currentProcessingTime(): number;
  /** Calls `onEventTime` when the watermark reaches `time`. One timer a window and time. */
  registerEventTimeTimer(time: number): void;
  registerProcessingTimeTimer(time: number): void;
  deleteEventTimeTimer(time: number): void;
  deleteProcessingTimeTimer(time: number): void;
}

/** What `onMerge` gets. */
export interface OnMergeContext<D extends StateDescriptors> extends TriggerContext<D> {
  /** Adds what the merged windows held in one of the declared list or reducing states to that of the window that takes their place. */
  mergePartitionedState(descriptor: StateDescriptor<unknown>): void;
}

/**
 * Decides when a window fires: hands its contents to the window function, or drops them. Synchronous and deterministic.
 *
 * @see Flink Trigger
 */
export interface Trigger<T, W extends TimeWindow | GlobalWindow, D extends StateDescriptors = NoStates> {
  /** In place of Flink's getPartitionedState: `ctx.state` has them, under these names. Freed with the window. */
  readonly state?: D;
  /** Called for each element that is added, and each of its windows. */
  onElement(element: T, timestamp: number | undefined, window: W, ctx: TriggerContext<D>): TriggerResult;
  /** An event-time timer of this trigger; also the one of the window's end, if the window is freed in event time. */
  onEventTime(time: number, window: W, ctx: TriggerContext<D>): TriggerResult;
  onProcessingTime(time: number, window: W, ctx: TriggerContext<D>): TriggerResult;
  /** `window` takes the place of others; `clear` is called for each of them afterwards. Without it, session windows refuse the trigger. */
  onMerge?(window: W, ctx: OnMergeContext<D>): void;
  /** The window is over: delete its timers. */
  clear(window: W, ctx: TriggerContext<D>): void;
}

/** Fires when the watermark passes the end of the window; then with each late element. What event-time windows have. */
export const EventTimeTrigger = /* @__PURE__ */ Object.freeze({ create: (): BuiltInTrigger => builtIn({ kind: 'event-time' }) });

/** Fires when processing time passes the end of the window. What processing-time windows have. */
export const ProcessingTimeTrigger = /* @__PURE__ */ Object.freeze({ create: (): BuiltInTrigger => builtIn({ kind: 'processing-time' }) });

/** Fires at each `count`-th element of the window. It does not fire at the window's end. */
export const CountTrigger = /* @__PURE__ */ Object.freeze({
  /** @throws MILLRACE_OPTION_INVALID */
  of: (count: number): BuiltInTrigger => builtIn({ kind: 'count', count: positiveCount('CountTrigger.of', count) }),
});

/** Fires at each multiple of an interval in event time while the window has elements, and at its end. */
export const ContinuousEventTimeTrigger = /* @__PURE__ */ Object.freeze({
  /** @throws MILLRACE_OPTION_INVALID */
  of: (interval: Duration): BuiltInTrigger =>
    builtIn({ kind: 'continuous-event-time', intervalMs: positive('the interval of a trigger', interval) }),
});

/** Fires at each multiple of an interval in processing time while the window has elements. */
export const ContinuousProcessingTimeTrigger = /* @__PURE__ */ Object.freeze({
  /** @throws MILLRACE_OPTION_INVALID */
  of: (interval: Duration): BuiltInTrigger =>
    builtIn({ kind: 'continuous-processing-time', intervalMs: positive('the interval of a trigger', interval) }),
});

/** Turns each firing of another trigger into one that also drops the contents. */
export const PurgingTrigger = /* @__PURE__ */ Object.freeze({
  of: <T, W extends TimeWindow | GlobalWindow, D extends StateDescriptors>(trigger: BuiltInTrigger | Trigger<T, W, D>): BuiltInTrigger =>
    builtIn({ kind: 'purging', trigger: toTriggerShape(trigger) }),
});

/** A trigger as the runtime calls it; `this` stays the user's object. @throws MILLRACE_OPTION_INVALID, MILLRACE_STATE_DUPLICATE */
export function toTriggerShape<T, W extends TimeWindow | GlobalWindow, D extends StateDescriptors>(
  trigger: BuiltInTrigger | Trigger<T, W, D>,
): TriggerShape {
  if ('shape' in trigger) return trigger.shape;
  for (const name of ['onElement', 'onEventTime', 'onProcessingTime', 'clear'] as const) {
    if (typeof trigger[name] === 'function') continue;
    throw new MillraceError(
      'MILLRACE_OPTION_INVALID',
      `a trigger has no function ${name}: see Trigger, or take one such as CountTrigger.of(10)`,
    );
  }
  const states = trigger.state ?? {};
  checkStateNames('a trigger', states);
  const { onElement, onEventTime, onProcessingTime, onMerge, clear } = trigger as unknown as CustomTriggerShape;
  return {
    kind: 'custom',
    states: Object.freeze({ ...states }),
    onElement: onElement.bind(trigger),
    onEventTime: onEventTime.bind(trigger),
    onProcessingTime: onProcessingTime.bind(trigger),
    ...(onMerge && { onMerge: onMerge.bind(trigger) }),
    clear: clear.bind(trigger),
  };
}

function builtIn(shape: TriggerShape): BuiltInTrigger {
  return Object.freeze({ shape: Object.freeze(shape) });
}

/** A whole number of elements, at least 1. @throws MILLRACE_OPTION_INVALID */
export function positiveCount(what: string, count: number): number {
  if (Number.isSafeInteger(count) && count >= 1) return count;
  throw new MillraceError('MILLRACE_OPTION_INVALID', `${what} was given ${count}: give a whole number of elements, at least 1`);
}
