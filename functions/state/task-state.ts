import { encodeValue } from '../codec/value.ts';
import { fragmentOf } from '../shared/distribution.ts';
import { fromStateKey } from '../shared/key.ts';
import { decodeStored, isText, listOf, recordOf, stateCorrupt } from './stored-value.ts';
import { createTable, MapTable, type Table, TimerTable } from './tables.ts';

const ABSENT: unique symbol = Symbol('absent');

/** Changes of one table: parallel arrays of keys and values, and the keys that are gone. */
type TableChange = readonly [id: string, keys: readonly string[], values: readonly unknown[], removed: readonly string[]];

const CHANGES = 'a delta or image of a task';
const areChanges = listOf(recordOf([isTableId, Array.isArray, Array.isArray, listOf(isText)]));

function isTableId(id: unknown): boolean {
  return typeof id === 'string' && /^(value|map|timers):/.test(id);
}

/** What one batch changed. */
export interface Delta {
  readonly bytes: Uint8Array;
  readonly fragments: readonly number[];
}

/**
 * A task's state in memory. One owner at a time changes it in place; every change is journaled, so that a record, a frame or a whole
 * attempt can be taken back, and the journal's final values are the batch's delta.
 */
export class TaskState {
  /** Number of the last committed change in it. */
  seq: number;
  private readonly tables = new Map<string, Table>();
  private readonly journal: { readonly table: Table; readonly key: string; readonly old: unknown }[] = [];

  constructor(seq: number) {
    this.seq = seq;
  }

  /** The tables that hold something or were asked for. */
  allTables(): readonly Table[] {
    return [...this.tables.values()];
  }

  table(id: string): Table {
    let table = this.tables.get(id);
    if (!table) this.tables.set(id, (table = createTable(id)));
    return table;
  }

  /** As `table`, for ids that begin with `map:`. */
  mapTable(id: string): MapTable {
    const table = this.table(id);
    if (table instanceof MapTable) return table;
    throw new TypeError(`${id} is no map`);
  }

  /** As `table`, for ids that begin with `timers:`. */
  timerTable(id: string): TimerTable {
    const table = this.table(id);
    if (table instanceof TimerTable) return table;
    throw new TypeError(`${id} holds no timers`);
  }

  set(table: Table, key: string, value: unknown): void {
    const held = table.entries.get(key);
    this.journal.push({ table, key, old: held === undefined && !table.entries.has(key) ? ABSENT : held });
    table.put(key, value);
  }

  delete(table: Table, key: string): void {
    if (!table.entries.has(key)) return;
    this.journal.push({ table, key, old: table.entries.get(key) });
    table.remove(key);
  }

  /** A point to come back to with `rollback`. */
  mark(): number {
    return this.journal.length;
  }

  rollback(mark: number): void {
    while (this.journal.length > mark) {
      const change = this.journal.pop();
      if (!change) return;
      if (change.old === ABSENT) change.table.remove(change.key);
      else change.table.put(change.key, change.old);
    }
  }

  /** Final values of all that has changed since the last `settle`. */
  delta(fragments: FragmentShape): Delta {
    const touched = new Map<Table, Set<string>>();
    for (const { table, key } of this.journal) {
      const keys = touched.get(table);
      if (keys) keys.add(key);
      else touched.set(table, new Set([key]));
    }
    const numbers = new Set<number>();
    const changes: TableChange[] = [];
    for (const [table, keys] of touched) {
      changes.push(changeOf(table, keys));
      for (const key of keys) if (numbers.size < fragments.count) numbers.add(fragmentOfEntry(table, key, fragments));
    }
    return { bytes: encodeValue(changes), fragments: [...numbers].sort((a, b) => a - b) };
  }

  /** The journal's changes are committed: forget how to take them back. */
  settle(seq: number): void {
    this.journal.length = 0;
    this.seq = seq;
  }

  /** Applies an encoded delta or fragment image, as loaded. @throws MILLRACE_STATE_CORRUPT; the state is then of no use any more */
  load(bytes: Uint8Array): void {
    const changes = decodeStored(bytes, CHANGES);
    if (!areChanges(changes)) throw stateCorrupt(CHANGES, 'it is no list of tables with their entries');
    for (const [id, keys, values, removed] of changes as TableChange[]) {
      const table = this.table(id);
      if (keys.length !== values.length) throw stateCorrupt(CHANGES, `table ${id} has ${keys.length} keys, but ${values.length} values`);
      for (const [i, key] of keys.entries()) {
        if (!table.isEntry(key, values[i])) throw stateCorrupt(CHANGES, `entry ${i} of table ${id} is none`);
        table.put(key, values[i]);
      }
      for (const key of removed) table.remove(key);
    }
  }

  /** Encodes the whole state of the given fragments. */
  images(wanted: ReadonlySet<number>, fragments: FragmentShape): Map<number, Uint8Array> {
    const parts = new Map<number, TableChange[]>();
    for (const fragment of wanted) parts.set(fragment, []);
    for (const table of this.tables.values()) {
      const keys = new Map<number, Set<string>>();
      for (const key of table.entries.keys()) {
        const fragment = fragmentOfEntry(table, key, fragments);
        if (!wanted.has(fragment)) continue;
        const set = keys.get(fragment);
        if (set) set.add(key);
        else keys.set(fragment, new Set([key]));
      }
      for (const [fragment, set] of keys) parts.get(fragment)?.push(changeOf(table, set));
    }
    return new Map([...parts].map(([fragment, changes]) => [fragment, encodeValue(changes)]));
  }
}

/** P and F of the formula crc32c(key) mod P mod F. */
export interface FragmentShape {
  readonly maxParallelism: number;
  readonly count: number;
}

function fragmentOfEntry(table: Table, entry: string, { maxParallelism, count }: FragmentShape): number {
  return fragmentOf(fromStateKey(table.ownerOf(entry)), maxParallelism, count);
}

function changeOf(table: Table, keys: ReadonlySet<string>): TableChange {
  const present: string[] = [];
  const values: unknown[] = [];
  const removed: string[] = [];
  for (const key of keys) {
    if (table.entries.has(key)) {
      present.push(key);
      values.push(table.entries.get(key));
    } else removed.push(key);
  }
  return [table.id, present, values, removed];
}
