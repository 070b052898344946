import type { WindowTime } from '../../graph/window-shape.ts';
import { windowStart } from '../../time/windows/aligned-windows.ts';
import type { NamedWindow } from '../../time/windows/window.ts';
import { WindowTable } from './window-table.ts';
import type { Trigger } from './trigger.ts';
import type { WindowScope } from './window-scope.ts';

/**
 * Fires at each multiple of an interval while a window has elements; in event time at its end, too.
 *
 * @see Flink ContinuousEventTimeTrigger, ContinuousProcessingTimeTrigger
 */
export function continuousTrigger(domain: WindowTime, intervalMs: number, scope: WindowScope): Trigger {
  const { timers } = scope;
  const next = new WindowTable(scope, scope.operator, '$trigger-next');
  const read = (entry: string): number | undefined => next.get(entry) as number | undefined;
  const schedule = ({ maxTimestamp, text }: NamedWindow, after: number): void => {
    const time = Math.min(after + intervalMs, maxTimestamp);
    // At the end of the window, and of the input, there is no next time: Flink would fire for ever.
    if (time <= after || (scope.now(domain) === Infinity && maxTimestamp === Number.MAX_SAFE_INTEGER)) return;
    next.set(next.entry(text), time);
    timers.register(domain, time, text);
  };
  return {
    onElement: (window, _value, timestamp, isFirst) => {
      if (domain === 'event') {
        if (window.maxTimestamp <= scope.watermark) return 'FIRE';
        if (isFirst) timers.register('event', window.maxTimestamp, window.text);
      }
      if (read(next.entry(window.text)) !== undefined) return 'CONTINUE';
      const time = domain === 'event' ? timestamp : scope.processingTime;
      if (time !== undefined && Number.isFinite(time)) schedule(window, windowStart(time, intervalMs, 0));
      return 'CONTINUE';
    },
    onTime: (window, due, time) => {
      if (due !== domain) return 'CONTINUE';
      if (domain === 'event' && time === window.maxTimestamp) return 'FIRE';
      const entry = next.entry(window.text);
      if (read(entry) !== time) return 'CONTINUE';
      next.delete(entry);
      schedule(window, time);
      return 'FIRE';
    },
    onMerge: (window, merged) => {
      const times = merged.flatMap(({ text }) => read(next.entry(text)) ?? []);
      if (domain === 'event' && window.maxTimestamp > scope.watermark) timers.register('event', window.maxTimestamp, window.text);
      if (times.length === 0) return;
      const time = Math.min(...times);
      next.set(next.entry(window.text), time);
      timers.register(domain, time, window.text);
    },
    clear: (window) => {
      const entry = next.entry(window.text);
      const time = read(entry);
      if (domain === 'event') timers.unregister('event', window.maxTimestamp, window.text);
      if (time === undefined) return;
      timers.unregister(domain, time, window.text);
      next.delete(entry);
    },
  };
}
