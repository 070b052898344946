import type { KeyScope } from '../../state/keyed-state.ts';
import type { TimerEntry } from '../../state/tables.ts';
import { OperatorTimers, type TimeDomain } from '../../state/timer-service.ts';

/**
 * Timers of windows. A window ends when time has passed its last ms: a watermark says that of the ms that it names, processing time does not, as
 * records of the same ms may follow. So timers of processing time are set 1 ms later than they are named (as Flink delays them).
 */
export class WindowTimers {
  readonly pending: OperatorTimers;

  constructor(scope: KeyScope, operator: string) {
    this.pending = new OperatorTimers(scope, operator);
  }

  register(domain: TimeDomain, time: number, window: string): void {
    this.pending.register(domain, domain === 'event' ? time : time + 1, window);
  }

  unregister(domain: TimeDomain, time: number, window: string): void {
    this.pending.unregister(domain, domain === 'event' ? time : time + 1, window);
  }
}

/** The time that a timer was registered for. */
export function registeredTime(domain: TimeDomain, { time }: TimerEntry): number {
  return domain === 'event' ? time : time - 1;
}
