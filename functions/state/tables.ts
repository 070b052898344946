import { binaryHeap, type BinaryHeap } from './binary-heap.ts';

/**
 * One state of one operator over all keys of a task: a flat map from entry keys to values. The entry key of a single value is its state
 * key; where a key has many entries, it is `entryKey(stateKey, rest)`.
 */
export class Table {
  readonly id: string;
  readonly entries = new Map<string, unknown>();

  constructor(id: string) {
    this.id = id;
  }

  put(key: string, value: unknown): void {
    this.entries.set(key, value);
  }

  remove(key: string): void {
    this.entries.delete(key);
  }

  /** The state key that an entry belongs to: it decides the entry's fragment. */
  ownerOf(entry: string): string {
    return entry;
  }

  /** Whether what a store gave can be an entry here. The text of the key behind its type is read where the key is. */
  isEntry(key: unknown, _value: unknown): boolean {
    return typeof key === 'string' && KEY_TYPES.includes(this.ownerOf(key)[0] ?? ' ');
  }
}

/** First letters of `stateKey`. */
const KEY_TYPES = 'snbt';

/** A table with many entries under one state key: of map state, and of windows. */
export class MapTable extends Table {
  /** Entry keys by state key; made when it is first asked for, as most entries are only read by their own key. */
  private index: Map<string, Set<string>> | undefined;

  override put(key: string, value: unknown): void {
    super.put(key, value);
    if (this.index) addToIndex(this.index, key);
  }

  override remove(key: string): void {
    super.remove(key);
    if (!this.index) return;
    const stateKey = stateKeyOf(key);
    const keys = this.index.get(stateKey);
    keys?.delete(key);
    if (keys?.size === 0) this.index.delete(stateKey);
  }

  override ownerOf(entry: string): string {
    return stateKeyOf(entry);
  }

  /** Entry keys under a state key, in canonical order: history must not show, or a replay would differ. */
  keysOf(stateKey: string): string[] {
    if (!this.index) {
      this.index = new Map();
      for (const key of this.entries.keys()) addToIndex(this.index, key);
    }
    return [...(this.index.get(stateKey) ?? [])].sort();
  }
}

function addToIndex(index: Map<string, Set<string>>, key: string): void {
  const stateKey = stateKeyOf(key);
  const keys = index.get(stateKey);
  if (keys) keys.add(key);
  else index.set(stateKey, new Set([key]));
}

/** Pending timers of one operator and time domain; the value of an entry is its time, the rest of its key `timerName`. */
export class TimerTable extends Table {
  private readonly heap: BinaryHeap<TimerEntry> = binaryHeap<TimerEntry>(compareTimes);

  override put(key: string, value: unknown): void {
    super.put(key, value);
    this.heap.push({ key, time: value as number, stateKey: stateKeyOf(key) });
  }

  override ownerOf(entry: string): string {
    return stateKeyOf(entry);
  }

  override isEntry(key: unknown, value: unknown): boolean {
    return Number.isFinite(value) && super.isEntry(key, value);
  }

  /** Time of the last pending timer; −∞ if there is none. */
  lastTime(): number {
    let last = -Infinity;
    for (const time of this.entries.values()) if ((time as number) > last) last = time as number;
    return last;
  }

  /** The first pending timer at or before `until` in canonical order (time, key, namespace), or undefined. It stays pending. */
  firstDue(until: number): TimerEntry | undefined {
    for (;;) {
      const first = this.heap.peek();
      if (!first) return undefined;
      // Removed timers stay in the heap until they come up; one put back by an undo is in it twice.
      if (!this.entries.has(first.key)) this.heap.pop();
      else return first.time <= until ? first : undefined;
    }
  }
}

/**
 * When the entries of another table were last used, in ms; of lists, each item. An entry has the key of the one that it is about.
 */
export class AccessTable extends Table {
  private readonly heap: BinaryHeap<Access> = binaryHeap(compareTimes);
  /** The earliest time at which an entry's key stands in the heap: never after its own. */
  private readonly queued = new Map<string, number>();

  override put(key: string, value: unknown): void {
    super.put(key, value);
    const time = earliestOf(value);
    if ((this.queued.get(key) ?? Infinity) > time) this.queue(key, time);
  }

  override ownerOf(entry: string): string {
    return this.id.startsWith('ttl-map:') ? stateKeyOf(entry) : entry;
  }

  override isEntry(key: unknown, value: unknown): boolean {
    const times: readonly unknown[] = Array.isArray(value) ? value : [value];
    return times.length > 0 && times.every(Number.isFinite) && super.isEntry(key, value);
  }

  /** The entry that has not been used for longest, if that is since `until` or before; of equal ones the first by its key. */
  firstDue(until: number): string | undefined {
    for (;;) {
      const first = this.heap.peek();
      if (!first || first.time > until) return undefined;
      const { key } = first;
      const isQueued = this.queued.get(key) === first.time;
      const time = this.entries.has(key) ? earliestOf(this.entries.get(key)) : undefined;
      if (isQueued && time === first.time) return key;
      // It has been used since, or is gone, or an undo has put it in again.
      this.heap.pop();
      if (!isQueued) continue;
      if (time === undefined) this.queued.delete(key);
      else this.queue(key, time);
    }
  }

  private queue(key: string, time: number): void {
    this.queued.set(key, time);
    this.heap.push({ key, time });
  }
}

interface Access {
  readonly key: string;
  readonly time: number;
}

function earliestOf(value: unknown): number {
  // Items are added at the end, and all are used at once: the first has not been for longest.
  return Array.isArray(value) ? (value[0] as number) : (value as number);
}

export interface TimerEntry {
  readonly key: string;
  readonly time: number;
  readonly stateKey: string;
}

/** The rest of a timer's entry key. A key can have one timer a time and namespace: of a window, its text. */
export function timerName(time: number, namespace?: string): string {
  return namespace === undefined ? String(time) : `${time}|${namespace}`;
}

/** The namespace of a timer; undefined where it has none. */
export function namespaceOf({ key }: TimerEntry): string | undefined {
  const name = restOf(key);
  const bar = name.indexOf('|');
  return bar < 0 ? undefined : name.slice(bar + 1);
}

function compareTimes(a: Access, b: Access): number {
  return a.time - b.time || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}

/** Table ids begin with their kind, so that a state can be loaded before its operator asks for it. */
export type TableKind = 'value' | 'map' | 'timers' | 'ttl-value' | 'ttl-map';

export function tableId(kind: TableKind, operator: string, state: string): string {
  return `${kind}:${operator}/${state}`;
}

export function createTable(id: string): Table {
  if (id.startsWith('map:')) return new MapTable(id);
  if (id.startsWith('ttl-')) return new AccessTable(id);
  return id.startsWith('timers:') ? new TimerTable(id) : new Table(id);
}

/** The key of an entry under a state key. The length in front keeps the two parts apart, whatever they hold. */
export function entryKey(stateKey: string, rest: string): string {
  return `${stateKey.length}|${stateKey}${rest}`;
}

function stateKeyOf(entry: string): string {
  const bar = entry.indexOf('|');
  return entry.slice(bar + 1, bar + 1 + Number(entry.slice(0, bar)));
}

/** The part of an entry key behind its state key. */
export function restOf(entry: string): string {
  const bar = entry.indexOf('|');
  return entry.slice(bar + 1 + Number(entry.slice(0, bar)));
}
