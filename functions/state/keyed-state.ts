import { cloneValue } from '../codec/clone.ts';
import { fromStateKey, stateKey } from '../shared/key.ts';
import type { StateDescriptorShape } from '../graph/logical-graph.ts';
import { entryKey, type MapTable, restOf, type Table, tableId } from './tables.ts';
import type { TaskState } from './task-state.ts';
import { toStateValue } from './value-limit.ts';

/** Whose state is looked at: set by the runtime before each record and timer. */
export interface KeyScope {
  readonly state: TaskState;
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
  private readonly id: string;
  private bound: TaskState | undefined;
  private boundTable: Table | undefined;

  constructor(scope: KeyScope, operator: string, state: string) {
    this.scope = scope;
    this.id = tableId('namespace' in scope ? 'map' : 'value', operator, state);
  }

  get(): unknown {
    return cloneValue(this.table().entries.get(this.entry()));
  }

  set(value: unknown): void {
    this.scope.state.set(this.table(), this.entry(), toStateValue(value));
  }

  clear(): void {
    this.scope.state.delete(this.table(), this.entry());
  }

  private entry(): string {
    const { stateKey, namespace } = this.scope;
    return namespace === undefined ? stateKey : entryKey(stateKey, namespace);
  }

  private table(): Table {
    if (this.boundTable === undefined || this.bound !== this.scope.state) {
      this.bound = this.scope.state;
      this.boundTable = this.bound.table(this.id);
    }
    return this.boundTable;
  }
}

/** The text of a tuple like `namespace` with one item more: something that belongs to a namespace. */
export function within(namespace: string, item: string | number): string {
  return `${namespace.slice(0, -1)},${JSON.stringify(item)}]`;
}

/** The state object that user code gets for a descriptor; its shape is that of the interfaces in api/state.ts. */
export function openKeyedState(scope: KeyScope, operator: string, descriptor: StateDescriptorShape): object {
  switch (descriptor.kind) {
    case 'value':
      return valueState(new Cell(scope, operator, descriptor.name), descriptor.initial);
    case 'list':
      return listState(new Cell(scope, operator, descriptor.name));
    case 'map':
      return mapState(scope, operator, descriptor.name);
    case 'reducing':
      return reducingState(new Cell(scope, operator, descriptor.name), required(descriptor.reduce));
    case 'aggregating':
      return aggregatingState(new Cell(scope, operator, descriptor.name), required(descriptor.aggregate));
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
  const items = (): unknown[] => (cell.get() as unknown[] | undefined) ?? [];
  return {
    get: items,
    add: (item: unknown) => {
      cell.set([...items(), item]);
    },
    addAll: (more: Iterable<unknown>) => {
      cell.set([...items(), ...more]);
    },
    update: (all: Iterable<unknown>) => {
      cell.set([...all]);
    },
    clear: () => {
      cell.clear();
    },
  };
}

function mapState(scope: KeyScope, operator: string, name: string): object {
  const id = tableId('map', operator, name);
  const table = (): MapTable => scope.state.mapTable(id);
  const nameOf = (key: string | number): string => (scope.namespace === undefined ? stateKey(key) : within(scope.namespace, key));
  const entry = (key: string | number): string => entryKey(scope.stateKey, nameOf(key));
  const keys = (): string[] => {
    const all = table().keysOf(scope.stateKey);
    if (scope.namespace === undefined) return all;
    const prefix = entryKey(scope.stateKey, `${scope.namespace.slice(0, -1)},`);
    return all.filter((key) => key.startsWith(prefix));
  };
  const keyAt = (key: string): unknown => {
    const decoded = fromStateKey(restOf(key));
    return scope.namespace === undefined ? decoded : (decoded as readonly unknown[]).at(-1);
  };
  const at = (key: string): unknown => cloneValue(table().entries.get(key));
  return {
    get: (key: string | number) => at(entry(key)),
    put: (key: string | number, value: unknown) => {
      scope.state.set(table(), entry(key), toStateValue(value));
    },
    has: (key: string | number) => table().entries.has(entry(key)),
    remove: (key: string | number) => {
      scope.state.delete(table(), entry(key));
    },
    keys: () => keys().map(keyAt),
    values: () => keys().map(at),
    entries: () => keys().map((key) => [keyAt(key), at(key)]),
    isEmpty: () => keys().length === 0,
    clear: () => {
      for (const key of keys()) scope.state.delete(table(), key);
    },
  };
}

function reducingState(cell: Cell, reduce: (left: unknown, right: unknown) => unknown): object {
  return {
    get: () => cell.get(),
    add: (value: unknown) => {
      const held = cell.get();
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
      cell.set(aggregate.add(cell.get() ?? aggregate.createAccumulator(), value));
    },
    clear: () => {
      cell.clear();
    },
  };
}
