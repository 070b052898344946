import { MillraceError } from '../shared/errors.ts';
import type { TimerEntry } from '../state/tables.ts';
import type { TimerLimit } from './operator.ts';

/** Timers of a key that fire behind the last one that was pending when the input ended. */
const MOST_BEHIND_LAST = 1000;

/** Finds keys whose timers are always registered again: at watermark +∞ any of them is due, for ever. */
export function limitTimers(last: number): TimerLimit {
  const fired = new Map<string, number>();
  return ({ time, stateKey }: TimerEntry) => {
    if (time <= last) return undefined;
    const count = (fired.get(stateKey) ?? 0) + 1;
    fired.set(stateKey, count);
    if (count <= MOST_BEHIND_LAST) return undefined;
    return new MillraceError(
      'MILLRACE_TIMERS_ENDLESS',
      `${MOST_BEHIND_LAST} timers have fired behind the last one that was pending at the end: register none while currentWatermark() is Infinity`,
    );
  };
}
