import { fragmentOf } from '../shared/distribution.ts';
import { fromStateKey } from '../shared/key.ts';
import type { Table } from './tables.ts';

/** P and F of the formula crc32c(key) mod P mod F. */
export interface FragmentShape {
  readonly maxParallelism: number;
  readonly count: number;
}

export function fragmentOfEntry(table: Table, entry: string, { maxParallelism, count }: FragmentShape): number {
  return fragmentOf(fromStateKey(table.ownerOf(entry)), maxParallelism, count);
}

/** The entry keys of each fragment: an image of one of many shall not need a look at all keys. */
export class FragmentKeys {
  private readonly shape: FragmentShape;
  private readonly byTable = new Map<Table, Map<number, Set<string>>>();

  constructor(tables: Iterable<Table>, shape: FragmentShape) {
    this.shape = shape;
    for (const table of tables) for (const key of table.entries.keys()) this.note(table, key);
  }

  of(table: Table, fragment: number): ReadonlySet<string> {
    return this.byTable.get(table)?.get(fragment) ?? NONE;
  }

  /** An entry may have come or gone. */
  note(table: Table, key: string): void {
    const fragments = this.byTable.get(table) ?? new Map<number, Set<string>>();
    this.byTable.set(table, fragments);
    const fragment = fragmentOfEntry(table, key, this.shape);
    const keys = fragments.get(fragment) ?? new Set<string>();
    fragments.set(fragment, keys);
    if (table.entries.has(key)) keys.add(key);
    else keys.delete(key);
  }
}

const NONE: ReadonlySet<string> = new Set();
