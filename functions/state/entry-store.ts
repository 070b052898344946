import type { Table } from './tables.ts';
import type { TaskState } from './task-state.ts';

/** The entries of one state of one operator, as they are stored. */
export interface EntryStore {
  has(entry: string): boolean;
  /**
   * The stored value, not to be changed; undefined if there is none.
   *
   * @param forUpdate - It is read to be changed and set again: that is no access, and gives nothing that has expired.
   */
  get(entry: string, forUpdate?: boolean): unknown;
  /** @param added - Of a list, how many of its last items are new; without it, all are. */
  set(entry: string, value: unknown, added?: number): void;
  delete(entry: string): void;
  /** Of a map state: the entry keys under a state key, in canonical order. */
  keys(stateKey: string): readonly string[];
}

/** The task state that is worked on, which changes from batch to batch. */
export interface StateHolder {
  readonly state: TaskState;
}

/** A table of whatever task state its holder has. */
export class BoundTable<T extends Table> {
  private readonly holder: StateHolder;
  private readonly id: string;
  private bound: TaskState | undefined;
  private table: T | undefined;

  constructor(holder: StateHolder, id: string) {
    this.holder = holder;
    this.id = id;
  }

  get(): T {
    const { state } = this.holder;
    if (this.table === undefined || this.bound !== state) {
      this.bound = state;
      this.table = state.table(this.id) as T;
    }
    return this.table;
  }
}

/** Entries of one table. */
export class TableEntries implements EntryStore {
  private readonly id: string;
  private readonly holder: StateHolder;
  private readonly table: BoundTable<Table>;

  constructor(holder: StateHolder, id: string) {
    this.id = id;
    this.holder = holder;
    this.table = new BoundTable(holder, id);
  }

  has(entry: string): boolean {
    return this.table.get().entries.has(entry);
  }

  get(entry: string): unknown {
    return this.table.get().entries.get(entry);
  }

  set(entry: string, value: unknown): void {
    this.holder.state.set(this.table.get(), entry, value);
  }

  delete(entry: string): void {
    this.holder.state.delete(this.table.get(), entry);
  }

  keys(stateKey: string): readonly string[] {
    return this.holder.state.mapTable(this.id).keysOf(stateKey);
  }
}
