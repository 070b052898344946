/**
 * The states that a keyed process function works with. Each belongs to the key of the record or timer that is being processed. Reads and
 * writes are synchronous, in memory; what was changed is committed with the batch, and taken back if the record fails. Values are
 * copied both ways: changing an object after `update`, or one that was read, does not change the state.
 */

/** One value a key. `Initial` is what `value()` gives before the first `update`: the default, or undefined. */
export interface ValueState<T, Initial extends T | undefined = undefined> {
  value(): T | Initial;
  update(value: T): void;
  /** Back to the default. */
  clear(): void;
}

/** A list a key. Each `add` writes the whole list again: for long lists take a map state. */
export interface ListState<T> {
  get(): readonly T[];
  add(item: T): void;
  addAll(items: Iterable<T>): void;
  /** Replaces all items. */
  update(items: Iterable<T>): void;
  clear(): void;
}

/** A map a key; an entry is read and written by itself. Iteration is in the order of the encoded keys, not of insertion. */
export interface MapState<K extends string | number, V> {
  get(key: K): V | undefined;
  put(key: K, value: V): void;
  has(key: K): boolean;
  remove(key: K): void;
  keys(): readonly K[];
  values(): readonly V[];
  entries(): readonly (readonly [K, V])[];
  isEmpty(): boolean;
  clear(): void;
}

/** The reduction of all that was added. */
export interface ReducingState<T> {
  get(): T | undefined;
  add(value: T): void;
  clear(): void;
}

/** The result of an aggregate function over all that was added. */
export interface AggregatingState<In, Out> {
  /** Undefined before the first `add`. */
  get(): Out | undefined;
  add(value: In): void;
  clear(): void;
}
