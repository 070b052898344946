import { cloneValue } from '../../codec/clone.ts';
import type { ContentsShape, EvictorShape } from '../../graph/window-shape.ts';
import { toStateValue } from '../../state/value-limit.ts';
import type { NamedWindow } from '../../time/windows/window.ts';
import type { Contents } from './contents.ts';
import { ElementContents } from './element-contents.ts';
import { evictAfter, evictBefore, type TimestampedValue } from './evictors.ts';
import { createFold } from './fold.ts';
import type { WindowTable } from './window-table.ts';

/**
 * Elements with their timestamps, some of which are evicted whenever the window fires; a fold runs over those that stay (Flink's
 * EvictingWindowOperator).
 */
export class EvictedContents implements Contents {
  private readonly elements: ElementContents;
  private readonly evictor: EvictorShape;
  private readonly contents: ContentsShape;
  private readonly now: () => number;
  private kept: readonly TimestampedValue[] = [];

  constructor(table: WindowTable, evictor: EvictorShape, contents: ContentsShape, now: () => number) {
    this.elements = new ElementContents(table);
    this.evictor = evictor;
    this.contents = contents;
    this.now = now;
  }

  add(entry: string, value: unknown, timestamp: number | undefined): boolean {
    return this.elements.add(entry, { value, timestamp } satisfies TimestampedValue);
  }

  read(entry: string, window: NamedWindow): readonly unknown[] | undefined {
    const held = this.elements.held(entry) as readonly TimestampedValue[] | undefined;
    if (held === undefined) return undefined;
    // Copies are for user code only: the evictor gives back some of these very objects, or others in their place.
    this.kept = evictBefore(this.evictor, held.map(cloneValue), window.window, this.now());
    const values = this.kept.map(({ value }) => value);
    return foldAll(this.contents, values.map(cloneValue));
  }

  settle(entry: string, window: NamedWindow): void {
    const kept = evictAfter(this.evictor, this.kept, window.window, this.now());
    this.elements.replace(entry, kept.map(toStateValue));
    this.kept = [];
  }

  clear(entry: string): void {
    this.elements.clear(entry);
  }

  merge(into: string, from: string): void {
    this.elements.merge(into, from);
  }
}

/** The one result of the elements that stay; a reduction of none has no result. */
function foldAll(contents: ContentsShape, values: readonly unknown[]): readonly unknown[] {
  if (contents.kind === 'elements') return values;
  if (contents.kind === 'aggregate') {
    const { createAccumulator, add, getResult } = contents.aggregate;
    return [getResult(values.reduce((held, value) => add(held, value), createAccumulator()))];
  }
  const fold = createFold(contents);
  if (fold === undefined || values.length === 0) return [];
  const [first, ...others] = values;
  return [fold.result(others.reduce((held, value) => fold.add(held, value), fold.first(first)))];
}
