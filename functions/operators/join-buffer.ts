import type { KeyScope } from '../state/keyed-state.ts';
import { windowStart } from '../time/windows/aligned-windows.ts';
import { windowText } from '../time/windows/window.ts';
import { ElementContents } from './window/element-contents.ts';
import { WindowTable } from './window/window-table.ts';

/** A record that waits, with its event time. */
export interface Buffered {
  readonly time: number;
  readonly value: unknown;
}

/**
 * Records of the current key that wait to meet others, in buckets of time: who looks for a stretch of time reads few of them, and a bucket
 * goes as a whole.
 */
export class JoinBuffer {
  private readonly table: WindowTable;
  private readonly elements: ElementContents;
  private readonly widthMs: number;

  constructor(scope: KeyScope, operator: string, state: string, widthMs: number) {
    this.table = new WindowTable(scope, operator, state);
    this.elements = new ElementContents(this.table);
    this.widthMs = widthMs;
  }

  /** Start of the bucket that a time is in; the bucket is named by it. */
  bucketOf(time: number): number {
    return windowStart(time, this.widthMs, 0);
  }

  /** True if it is the first one of its bucket. */
  add(record: Buffered): boolean {
    return this.elements.add(this.entry(this.bucketOf(record.time)), record);
  }

  /** Those from `from` to `to`, both inclusive, bucket by bucket, in order of arrival in each: the state's own. */
  *between(from: number, to: number): Generator<Buffered> {
    for (let start = this.bucketOf(from); start <= to; start += this.widthMs) {
      for (const record of (this.elements.held(this.entry(start)) ?? []) as readonly Buffered[])
        if (record.time >= from && record.time <= to) yield record;
    }
  }

  free(start: number): void {
    this.elements.clear(this.entry(start));
  }

  private entry(start: number): string {
    return this.table.entry(windowText(start, start + this.widthMs));
  }
}
