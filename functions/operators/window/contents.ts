import type { WindowShape } from '../../graph/window-shape.ts';
import type { NamedWindow } from '../../time/windows/window.ts';
import { ElementContents } from './element-contents.ts';
import { EvictedContents } from './evicted-contents.ts';
import { createFold, type Fold } from './fold.ts';
import type { WindowTable } from './window-table.ts';

/** What windows hold. Entries are those of the table: of a session, that of the window under which its contents are kept. */
export interface Contents {
  /** Adds an element; true if the window was empty. */
  add(entry: string, value: unknown, timestamp: number | undefined): boolean;
  /** What the window function gets: the result of the fold, or all elements. Undefined for an empty window. */
  read(entry: string, window: NamedWindow): readonly unknown[] | undefined;
  /** The window function has run on what was read. */
  settle?(entry: string, window: NamedWindow): void;
  clear(entry: string): void;
  /** Moves what the second entry holds to the first. */
  merge(into: string, from: string): void;
}

export function createContents({ contents, evictor }: WindowShape, table: WindowTable, now: () => number): Contents {
  const fold = createFold(contents);
  if (evictor !== undefined) return new EvictedContents(table, evictor, contents, now);
  return fold === undefined ? new ElementContents(table) : new FoldedContents(table, fold);
}

/** One accumulator a window. */
class FoldedContents implements Contents {
  private readonly table: WindowTable;
  private readonly fold: Fold;

  constructor(table: WindowTable, fold: Fold) {
    this.table = table;
    this.fold = fold;
  }

  add(entry: string, value: unknown): boolean {
    return addTo(this.table, this.fold, entry, value);
  }

  read(entry: string): readonly unknown[] | undefined {
    const held = this.table.get(entry);
    return held === undefined ? undefined : [this.fold.result(held)];
  }

  clear(entry: string): void {
    this.table.delete(entry);
  }

  merge(into: string, from: string): void {
    const added = this.table.get(from);
    if (added === undefined) return;
    const held = this.table.get(into);
    this.table.set(into, held === undefined ? added : this.fold.merge(held, added));
    this.table.delete(from);
  }
}

/** Folds a value into the accumulator of an entry; true if there was none. */
export function addTo(table: WindowTable, fold: Fold, entry: string, value: unknown): boolean {
  const held = table.get(entry);
  if (held === undefined) {
    table.set(entry, fold.first(value));
    return true;
  }
  const after = fold.add(held, value);
  if (after !== held) table.set(entry, after);
  return false;
}
