import { encodeValue } from '../codec/value.ts';
import { FragmentKeys, fragmentOfEntry, type FragmentShape } from './fragment-keys.ts';
import { decodeStored, isText, listOf, recordOf, stateCorrupt } from './stored-value.ts';
import { createTable, MapTable, type Table, TimerTable } from './tables.ts';

const ABSENT: unique symbol = Symbol('absent');

/** Changes of one table: parallel arrays of keys and values, and the keys that are gone. */
type TableChange = readonly [id: string, keys: readonly string[], values: readonly unknown[], removed: readonly string[]];

const CHANGES = 'a delta or image of a task';
const areChanges = listOf(recordOf([isTableId, Array.isArray, Array.isArray, listOf(isText)]));

function isTableId(id: unknown): boolean {
  return typeof id === 'string' && /^(ttl-)?(value|map|timers):/.test(id);
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
  /** Made for the first images, and kept up from then on. */
  private fragmentKeys: FragmentKeys | undefined;
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
    const { fragmentKeys } = this;
    if (fragmentKeys)
      for (const { table, key, old } of this.journal) if (old === ABSENT || !table.entries.has(key)) fragmentKeys.note(table, key);
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
    this.fragmentKeys = undefined;
  }

  /** Encodes the whole state of the given fragments. Nothing may have changed since the last `settle`. */
  images(wanted: ReadonlySet<number>, fragments: FragmentShape): Map<number, Uint8Array> {
    const keys = (this.fragmentKeys ??= new FragmentKeys(this.tables.values(), fragments));
    const images = new Map<number, Uint8Array>();
    for (const fragment of wanted) {
      const changes: TableChange[] = [];
      for (const table of this.tables.values()) {
        const held = keys.of(table, fragment);
        if (held.size > 0) changes.push(changeOf(table, held));
      }
      images.set(fragment, encodeValue(changes));
    }
    return images;
  }
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
