import type { TriggerResult, TriggerShape, WindowTime } from '../../graph/window-shape.ts';
import type { TimeDomain } from '../../state/timer-service.ts';
import type { NamedWindow } from '../../time/windows/window.ts';
import { continuousTrigger } from './continuous-trigger.ts';
import { countTrigger } from './count-trigger.ts';
import { customTrigger } from './custom-trigger.ts';
import type { WindowScope } from './window-scope.ts';

/**
 * Decides when windows fire. Flink's Trigger, for the key and window of the scope.
 *
 * @see Flink Trigger, EventTimeTrigger, ProcessingTimeTrigger, PurgingTrigger
 */
export interface Trigger {
  /** @param isFirst - The window was empty: nothing may have been registered for it yet. */
  onElement(window: NamedWindow, value: unknown, timestamp: number | undefined, isFirst: boolean): TriggerResult;
  onTime(window: NamedWindow, domain: TimeDomain, time: number): TriggerResult;
  /** `window` takes the place of others, none of which is itself. */
  onMerge(window: NamedWindow, merged: readonly NamedWindow[]): void;
  clear(window: NamedWindow): void;
  /** As `clear`, without code of the user's. Undefined where there is none. */
  forget?(window: NamedWindow): void;
}

/** What a trigger holds of a window goes, whatever the user's code makes of it. */
export function forget(trigger: Trigger, window: NamedWindow): void {
  if (trigger.forget) trigger.forget(window);
  else trigger.clear(window);
}

/** @param time - Kind of time of the assigner, whose own trigger is taken where there is no shape. */
export function createTrigger(shape: TriggerShape | undefined, time: WindowTime | undefined, scope: WindowScope): Trigger {
  if (shape === undefined) return time === undefined ? NEVER : timeTrigger(time, scope);
  switch (shape.kind) {
    case 'event-time':
      return timeTrigger('event', scope);
    case 'processing-time':
      return timeTrigger('processing', scope);
    case 'count':
      return countTrigger(shape.count, scope);
    case 'continuous-event-time':
      return continuousTrigger('event', shape.intervalMs, scope);
    case 'continuous-processing-time':
      return continuousTrigger('processing', shape.intervalMs, scope);
    case 'purging':
      return purging(createTrigger(shape.trigger, time, scope));
    case 'custom':
      return customTrigger(shape, scope);
  }
}

const NEVER: Trigger = {
  onElement: () => 'CONTINUE',
  onTime: () => 'CONTINUE',
  onMerge: () => undefined,
  clear: () => undefined,
};

/** Fires once when time passes the end of the window; in event time then again for each late element that is allowed. */
function timeTrigger(domain: WindowTime, scope: WindowScope): Trigger {
  const { timers } = scope;
  return {
    onElement: ({ maxTimestamp, text }, _value, _timestamp, isFirst) => {
      if (domain === 'event' && maxTimestamp <= scope.watermark) return 'FIRE';
      if (isFirst) timers.register(domain, maxTimestamp, text);
      return 'CONTINUE';
    },
    onTime: ({ maxTimestamp }, due, time) => (due === domain && time === maxTimestamp ? 'FIRE' : 'CONTINUE'),
    onMerge: ({ maxTimestamp, text }) => {
      if (maxTimestamp > scope.now(domain)) timers.register(domain, maxTimestamp, text);
    },
    clear: ({ maxTimestamp, text }) => {
      timers.unregister(domain, maxTimestamp, text);
    },
  };
}

function purging(inner: Trigger): Trigger {
  const purge = (result: TriggerResult): TriggerResult => (result === 'FIRE' ? 'FIRE_AND_PURGE' : result);
  return {
    onElement: (...element) => purge(inner.onElement(...element)),
    onTime: (...timer) => purge(inner.onTime(...timer)),
    onMerge: (window, merged) => {
      inner.onMerge(window, merged);
    },
    clear: (window) => {
      inner.clear(window);
    },
    forget: (window) => {
      forget(inner, window);
    },
  };
}
