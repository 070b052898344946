import { cloneValue } from '../codec/clone.ts';
import { Cell, type KeyScope } from '../state/keyed-state.ts';
import { toStateValue } from '../state/value-limit.ts';
import { windowText } from '../time/windows/window.ts';
import { WindowTable } from './window/window-table.ts';

/** A version, and since when it is valid. */
export interface Version {
  readonly time: number;
  readonly value: unknown;
}

/** The versions of the current key, each in an entry of its own, and a list of their times. */
export class VersionTable {
  private readonly times: Cell;
  private readonly values: WindowTable;

  constructor(scope: KeyScope, operator: string) {
    this.times = new Cell(scope, operator, '$times');
    this.values = new WindowTable(scope, operator, '$versions');
  }

  /** Of two with one time the later one to come is valid. */
  put(time: number, value: unknown): void {
    const times = this.held();
    const at = times.findLastIndex((other) => other <= time);
    if (times[at] !== time) this.times.set([...times.slice(0, at + 1), time, ...times.slice(at + 1)]);
    this.values.set(this.entry(time), toStateValue(value));
  }

  /** The one that is valid at a time. */
  at(time: number): Version | undefined {
    const since = this.held().findLast((other) => other <= time);
    return since === undefined ? undefined : { time: since, value: cloneValue(this.values.get(this.entry(since))) };
  }

  /** Frees those that are valid at no time from `time` on. */
  prune(time: number): void {
    const times = this.held();
    const valid = times.findLastIndex((other) => other <= time);
    if (valid < 1) return;
    for (const gone of times.slice(0, valid)) this.values.delete(this.entry(gone));
    this.times.set(times.slice(valid));
  }

  private held(): readonly number[] {
    return (this.times.get() as readonly number[] | undefined) ?? [];
  }

  private entry(time: number): string {
    return this.values.entry(windowText(time, time));
  }
}
