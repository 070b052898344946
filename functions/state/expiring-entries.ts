import type { TtlShape } from '../graph/logical-graph.ts';
import { BoundTable, type EntryStore, type StateHolder } from './entry-store.ts';
import type { AccessTable } from './tables.ts';

/** Where the time comes from that states expire by. */
export interface StateClock extends StateHolder {
  /** Largest log append time that the task has seen, in ms; −∞ where it has seen none. */
  readonly stateTime: number;
}

/** A state whose entries expire. */
export interface ExpiringStore extends EntryStore {
  /** Frees entries that have expired, in the order in which they did, and at most so many. @returns how many are left to be freed */
  free(limit: number): number;
}

/**
 * Entries that expire some time after they were last written, or read. When that was stands in a table of its own, which finds the first
 * that is due; a read finds out by itself. Entries of the time before the state had a TTL have no time, and stay until they are written.
 */
export class ExpiringEntries implements ExpiringStore {
  protected readonly clock: StateClock;
  protected readonly inner: EntryStore;
  protected readonly ttl: TtlShape;
  protected readonly access: BoundTable<AccessTable>;

  /** @param accessId - Table of the times; its entries have the keys of those in `inner`. */
  constructor(clock: StateClock, inner: EntryStore, accessId: string, ttl: TtlShape) {
    this.clock = clock;
    this.inner = inner;
    this.ttl = ttl;
    this.access = new BoundTable(clock, accessId);
  }

  has(entry: string): boolean {
    if (!this.inner.has(entry)) return false;
    if (this.isExpired(entry)) return this.ttl.returnExpired;
    if (this.ttl.onRead) this.touch(entry);
    return true;
  }

  get(entry: string, forUpdate = false): unknown {
    if (!this.inner.has(entry)) return undefined;
    if (!this.isExpired(entry)) {
      if (this.ttl.onRead && !forUpdate) this.touch(entry);
      return this.inner.get(entry);
    }
    const returned = this.ttl.returnExpired && !forUpdate ? this.inner.get(entry) : undefined;
    this.delete(entry);
    return returned;
  }

  set(entry: string, value: unknown, _added?: number): void {
    this.inner.set(entry, value);
    this.touch(entry);
  }

  delete(entry: string): void {
    this.inner.delete(entry);
    this.clock.state.delete(this.access.get(), entry);
  }

  keys(stateKey: string): readonly string[] {
    return this.inner.keys(stateKey).filter((entry) => this.has(entry));
  }

  free(limit: number): number {
    const until = this.clock.stateTime - this.ttl.ms;
    let left = limit;
    for (; left > 0; left--) {
      const entry = this.access.get().firstDue(until);
      if (entry === undefined) break;
      this.freeEntry(entry);
    }
    return left;
  }

  protected freeEntry(entry: string): void {
    this.delete(entry);
  }

  protected isOver(time: number): boolean {
    return time > -Infinity && time + this.ttl.ms <= this.clock.stateTime;
  }

  /** Notes an access; where there is no time, none. */
  protected note(entry: string, time: number | readonly number[]): void {
    if (this.clock.stateTime > -Infinity) this.clock.state.set(this.access.get(), entry, time);
    else this.clock.state.delete(this.access.get(), entry);
  }

  private touch(entry: string): void {
    const { stateTime } = this.clock;
    if (this.access.get().entries.get(entry) !== stateTime) this.note(entry, stateTime);
  }

  private isExpired(entry: string): boolean {
    const time = this.access.get().entries.get(entry);
    return typeof time === 'number' && this.isOver(time);
  }
}

/** Lists whose items expire one by one. */
export class ExpiringLists extends ExpiringEntries {
  override has(entry: string): boolean {
    return this.inner.has(entry);
  }

  override get(entry: string, forUpdate = false): unknown {
    const items = this.inner.get(entry) as readonly unknown[] | undefined;
    if (items === undefined) return undefined;
    const times = this.timesOf(entry, items.length);
    const live = this.dropExpired(entry, items, times);
    if (forUpdate) return live;
    if (this.ttl.onRead && live.length > 0) this.note(entry, new Array<number>(live.length).fill(this.clock.stateTime));
    return this.ttl.returnExpired ? items : live;
  }

  override set(entry: string, value: unknown, added?: number): void {
    const items = value as readonly unknown[];
    if (items.length === 0) {
      this.delete(entry);
      return;
    }
    const kept = added === undefined ? 0 : items.length - added;
    const times = kept > 0 ? this.timesOf(entry, kept) : [];
    this.inner.set(entry, items);
    this.note(entry, [...times, ...new Array<number>(items.length - kept).fill(this.clock.stateTime)]);
  }

  protected override freeEntry(entry: string): void {
    const times = this.access.get().entries.get(entry);
    if (Array.isArray(times) && times.every((time) => this.isOver(time as number))) {
      this.delete(entry); // without a look at the items, which may be of an older version
      return;
    }
    const items = (this.inner.get(entry) ?? []) as readonly unknown[];
    this.dropExpired(entry, items, this.timesOf(entry, items.length));
  }

  private dropExpired(entry: string, items: readonly unknown[], times: readonly number[]): readonly unknown[] {
    const live = items.filter((_, i) => !this.isOver(times[i] ?? 0));
    if (live.length === items.length) return items;
    if (live.length === 0) this.delete(entry);
    else {
      this.inner.set(entry, live);
      this.note(
        entry,
        times.filter((time) => !this.isOver(time)),
      );
    }
    return live;
  }

  /** Items of the time before the state had a TTL count as used now. */
  private timesOf(entry: string, count: number): readonly number[] {
    const times = this.access.get().entries.get(entry);
    const known = Array.isArray(times) ? (times as readonly number[]) : [];
    return known.length === count ? known : new Array<number>(count).fill(this.clock.stateTime);
  }
}
