import { entryKey, type TimerEntry, timerName, type TimerTable, tableId } from './tables.ts';
import type { KeyScope } from './keyed-state.ts';

export type TimeDomain = 'event' | 'processing';

/** Pending timers of one operator; a timer is (key, time, namespace), registered once however often it is asked for. */
export class OperatorTimers {
  /** Its uid, or its name. */
  readonly operator: string;
  private readonly scope: KeyScope;
  private readonly ids: Readonly<Record<TimeDomain, string>>;

  constructor(scope: KeyScope, operator: string) {
    this.scope = scope;
    this.operator = operator;
    this.ids = { event: tableId('timers', operator, 'event'), processing: tableId('timers', operator, 'processing') };
  }

  register(domain: TimeDomain, time: number, namespace?: string): void {
    if (domain === 'processing' && this.scope.isProcessingTimeOver) return;
    if (!Number.isFinite(time)) throw new RangeError(`a timer's time is a finite number of ms, not ${time}`);
    const table = this.table(domain);
    const key = entryKey(this.scope.stateKey, timerName(time, namespace));
    if (!table.entries.has(key)) this.scope.state.set(table, key, time);
  }

  unregister(domain: TimeDomain, time: number, namespace?: string): void {
    this.scope.state.delete(this.table(domain), entryKey(this.scope.stateKey, timerName(time, namespace)));
  }

  firstDue(domain: TimeDomain, until: number): TimerEntry | undefined {
    return this.table(domain).firstDue(until);
  }

  /** Time of the last pending timer; −∞ if there is none. Looks at all of them. */
  last(domain: TimeDomain): number {
    return this.table(domain).lastTime();
  }

  remove(domain: TimeDomain, timer: TimerEntry): void {
    this.scope.state.delete(this.table(domain), timer.key);
  }

  private table(domain: TimeDomain): TimerTable {
    return this.scope.state.timerTable(this.ids[domain]);
  }
}
