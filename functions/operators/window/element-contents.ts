import { cloneValue } from '../../codec/clone.ts';
import { toStateValue } from '../../state/value-limit.ts';
import type { Contents } from './contents.ts';
import type { WindowTable } from './window-table.ts';

/** Elements of one entry: a batch writes at most one block again that was there before. */
const BLOCK_LENGTH = 32;

/** The first elements of a list stand in `blocks` entries of their own, the last ones in its tail. */
interface ElementList {
  readonly blocks: number;
  readonly tail: readonly unknown[];
}

/** All elements of a window, in order of arrival. */
export class ElementContents implements Contents {
  private readonly table: WindowTable;

  constructor(table: WindowTable) {
    this.table = table;
  }

  add(entry: string, value: unknown): boolean {
    return this.append(entry, toStateValue(value));
  }

  read(entry: string): readonly unknown[] | undefined {
    const list = this.list(entry);
    return list && this.itemsOf(entry, list).map(cloneValue);
  }

  clear(entry: string): void {
    const { blocks } = this.list(entry) ?? EMPTY;
    for (let i = 0; i < blocks; i++) this.table.delete(blockEntry(entry, i));
    this.table.delete(entry);
  }

  merge(into: string, from: string): void {
    const list = this.list(from);
    if (list === undefined) return;
    const items = this.itemsOf(from, list);
    this.clear(from);
    for (const item of items) this.append(into, item);
  }

  /** Puts these elements, which are the state's already, in the place of all. */
  replace(entry: string, items: readonly unknown[]): void {
    this.clear(entry);
    for (const item of items) this.append(entry, item);
  }

  /** The state's own elements; undefined for an empty window. */
  held(entry: string): readonly unknown[] | undefined {
    const list = this.list(entry);
    return list && this.itemsOf(entry, list);
  }

  private append(entry: string, item: unknown): boolean {
    const list = this.list(entry);
    if (list === undefined) {
      this.table.set(entry, { blocks: 0, tail: [item] } satisfies ElementList);
      return true;
    }
    const { blocks, tail } = list;
    if (tail.length < BLOCK_LENGTH) {
      this.table.set(entry, { blocks, tail: [...tail, item] } satisfies ElementList);
      return false;
    }
    this.table.set(blockEntry(entry, blocks), tail);
    this.table.set(entry, { blocks: blocks + 1, tail: [item] } satisfies ElementList);
    return false;
  }

  private list(entry: string): ElementList | undefined {
    return this.table.get(entry) as ElementList | undefined;
  }

  private itemsOf(entry: string, { blocks, tail }: ElementList): unknown[] {
    const items: unknown[] = [];
    for (let i = 0; i < blocks; i++) items.push(...(this.table.get(blockEntry(entry, i)) as readonly unknown[]));
    items.push(...tail);
    return items;
  }
}

const EMPTY: ElementList = { blocks: 0, tail: [] };

/** The entry of a window is the text of a tuple; a block's has its number as one item more. */
function blockEntry(entry: string, block: number): string {
  return `${entry.slice(0, -1)},${block}]`;
}
