import { cloneValue } from '../codec/clone.ts';
import { fromStateKey, stateKey } from '../shared/key.ts';
import type { StateDescriptorShape } from '../graph/logical-graph.ts';
import { type EntryStore, TableEntries } from './entry-store.ts';
import type { StateClock } from './expiring-entries.ts';
import type { EntryKind, KeyedStates } from './keyed-states.ts';
import { entryKey, restOf, tableId } from './tables.ts';
import { toStateValue } from './value-limit.ts';

/** Whose state is looked at: set by the runtime before each record and timer. */
export interface KeyScope extends StateClock {
  /** Timers in processing time that are registered now would never fire. @default false */
  readonly isProcessingTimeOver?: boolean;
  /** What must be known of all states of a stage together. */
  readonly states: KeyedStates;
  /** Canonical form of the current key (`stateKey` in shared/key.ts). */
  readonly stateKey: string;
  /** The part of the key's state that is looked at: the state key of a tuple, as of a window. Without it, all of it. */
  readonly namespace?: string | undefined;
}

/**
 * One table of one operator under the current key (and namespace, if the scope has one at all times). Values are copied on the way in and out: what user code changes in an object of its
 * own never changes the state, so a record can be taken back and a replay sees what the first attempt saw.
 */
export class Cell {
  private readonly scope: KeyScope;
  private readonly store: EntryStore;

  constructor(scope: KeyScope, operator: string, state: string, store = openTable(scope, operator, state)) {
    this.scope = scope;
    this.store = store;
  }

  /** @param forUpdate - As of `EntryStore.get`. */
  get(forUpdate = false): unknown {
    return cloneValue(this.store.get(this.entry(), forUpdate));
  }

  /** @param added - As of `EntryStore.set`. */
  set(value: unknown, added?: number): void {
    this.store.set(this.entry(), toStateValue(value), added);
  }

  clear(): void {
    this.store.delete(this.entry());
  }

  private entry(): string {
    const { stateKey, namespace } = this.scope;
    return namespace === undefined ? stateKey : entryKey(stateKey, namespace);
  }
}

function openTable(scope: KeyScope, operator: string, state: string): EntryStore {
  return new TableEntries(scope, tableId(kindOf(scope, 'value'), operator, state));
}

/** In windows each key has many entries. */
function kindOf(scope: KeyScope, kind: StateDescriptorShape['kind']): EntryKind {
  return kind === 'map' || 'namespace' in scope ? 'map' : 'value';
}

/** The text of a tuple like `namespace` with one item more: something that belongs to a namespace. */
export function within(namespace: string, item: string | number): string {
  return `${namespace.slice(0, -1)},${JSON.stringify(item)}]`;
}

/** The state object that user code gets for a descriptor; its shape is that of the interfaces in api/state.ts. */
export function openKeyedState(scope: KeyScope, operator: string, descriptor: StateDescriptorShape): object {
  const store = scope.states.open(scope, kindOf(scope, descriptor.kind), operator, descriptor);
  const cell = new Cell(scope, operator, descriptor.name, store);
  switch (descriptor.kind) {
    case 'value':
      return valueState(cell, descriptor.initial);
    case 'list':
      return listState(cell);
    case 'map':
      return mapState(scope, store);
    case 'reducing':
      return reducingState(cell, required(descriptor.reduce));
    case 'aggregating':
      return aggregatingState(cell, required(descriptor.aggregate));
  }
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('state descriptor without its function');
  return value;
}

function valueState(cell: Cell, initial: (() => unknown) | undefined): object {
  return {
    value: () => cell.get() ?? initial?.(),
    update(value: unknown) {
      if (value === undefined || value === null) cell.clear();
      else cell.set(value);
    },
    clear: () => {
      cell.clear();
    },
  };
}

function listState(cell: Cell): object {
  const items = (forUpdate: boolean): unknown[] => (cell.get(forUpdate) as unknown[] | undefined) ?? [];
  return {
    get: () => items(false),
    add: (item: unknown) => {
      cell.set([...items(true), item], 1);
    },
    addAll: (more: Iterable<unknown>) => {
      const added = [...more];
      cell.set([...items(true), ...added], added.length);
    },
    update: (all: Iterable<unknown>) => {
      cell.set([...all]);
    },
    clear: () => {
      cell.clear();
    },
  };
}

function mapState(scope: KeyScope, store: EntryStore): object {
  const nameOf = (key: string | number): string => (scope.namespace === undefined ? stateKey(key) : within(scope.namespace, key));
  const entry = (key: string | number): string => entryKey(scope.stateKey, nameOf(key));
  const keys = (): readonly string[] => {
    const all = store.keys(scope.stateKey);
    if (scope.namespace === undefined) return all;
    const prefix = entryKey(scope.stateKey, `${scope.namespace.slice(0, -1)},`);
    return all.filter((key) => key.startsWith(prefix));
  };
  const keyAt = (key: string): unknown => {
    const decoded = fromStateKey(restOf(key));
    return scope.namespace === undefined ? decoded : (decoded as readonly unknown[]).at(-1);
  };
  const at = (key: string): unknown => cloneValue(store.get(key));
  return {
    get: (key: string | number) => at(entry(key)),
    put: (key: string | number, value: unknown) => {
      store.set(entry(key), toStateValue(value));
    },
    has: (key: string | number) => store.has(entry(key)),
    remove: (key: string | number) => {
      store.delete(entry(key));
    },
    keys: () => keys().map(keyAt),
    values: () => keys().map(at),
    entries: () => keys().map((key) => [keyAt(key), at(key)]),
    isEmpty: () => keys().length === 0,
    clear: () => {
      for (const key of keys()) store.delete(key);
    },
  };
}

function reducingState(cell: Cell, reduce: (left: unknown, right: unknown) => unknown): object {
  return {
    get: () => cell.get(),
    add: (value: unknown) => {
      const held = cell.get(true);
      cell.set(held === undefined ? value : reduce(held, value));
    },
    clear: () => {
      cell.clear();
    },
  };
}

function aggregatingState(cell: Cell, aggregate: NonNullable<StateDescriptorShape['aggregate']>): object {
  return {
    get: () => {
      const held = cell.get();
      return held === undefined ? undefined : aggregate.getResult(held);
    },
    add: (value: unknown) => {
      cell.set(aggregate.add(cell.get(true) ?? aggregate.createAccumulator(), value));
    },
    clear: () => {
      cell.clear();
    },
  };
}
