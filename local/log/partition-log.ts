import type { Clock } from '../../functions/shared/clock.ts';
import { MillraceError } from '../../functions/shared/errors.ts';
import type { MessageBatch } from './message-batch.ts';
import type { PartitionFiles } from './partition-files.ts';
import { SegmentList } from './segment-list.ts';
import type { LogRecord, Segment } from './segment.ts';

/** Sizes of a topic, each a partition's share. */
export interface TopicLimits {
  /** Largest message. @default 1 MiB, as Kafka's */
  readonly maxMessageBytes: number;
  /** What is kept of records that every mapping has committed. @default 4 MiB in memory, 64 MiB on disk */
  readonly retentionBytes: number;
  /** How far appends should run ahead of the slowest mapping; beyond it they wait, unless `neverHold`. @default 4 MiB in memory, 64 MiB on disk */
  readonly maxLeadBytes: number;
}

interface HeldAppend {
  readonly batch: MessageBatch;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** One partition: its records, the offsets that groups have committed, and who waits for what. */
export class PartitionLog {
  readonly topic: string;
  readonly partition: number;
  readonly limits: TopicLimits;
  private readonly segments: SegmentList;
  private readonly clock: Clock;
  private readonly listeners = new Set<() => void>();
  private readonly commitListeners = new Set<(group: string) => void>();
  private readonly committed = new Map<string, number>();
  /** Lowest committed offset, and its place in bytes; undefined while no group reads the topic. */
  private lowest: { readonly offset: number; readonly position: number } | undefined;
  private readonly held: HeldAppend[] = [];
  private lastTime: number;
  private holdsAppends = true;
  /** Appends that had to wait. */
  heldBackCount = 0;

  constructor(topic: string, partition: number, limits: TopicLimits, clock: Clock, files?: PartitionFiles) {
    this.topic = topic;
    this.partition = partition;
    this.limits = limits;
    this.clock = clock;
    const segmentBytes = Math.min(1024 * 1024, limits.retentionBytes / 4);
    this.segments = new SegmentList(segmentBytes, 4 * 1024 * 1024, files);
    this.lastTime = this.segments.lastTime;
  }

  get startOffset(): number {
    return this.segments.startOffset;
  }

  get endOffset(): number {
    return this.segments.endOffset;
  }

  get bytes(): number {
    return this.segments.bytes;
  }

  /** Bytes that the slowest mapping has not committed. */
  get leadBytes(): number {
    return this.lowest ? this.segments.endPosition - this.lowest.position : 0;
  }

  /** Lowest offset that every group of the topic has committed; the end where no group reads it. */
  get minCommitted(): number {
    return this.lowest?.offset ?? this.endOffset;
  }

  /** Whether who writes here should wait for the slowest mapping. */
  get isHoldingBack(): boolean {
    return this.held.length > 0 || (this.lowest !== undefined && this.leadBytes >= this.limits.maxLeadBytes);
  }

  /** From now on appends go through at any lead: whoever causes them looks at `isHoldingBack` beforehand. */
  neverHold(): void {
    this.holdsAppends = false;
  }

  /**
   * Appends a batch, whole or not at all. Returns a promise only if it has to wait for a mapping; waiting appends keep their order.
   *
   * @throws MILLRACE_MESSAGE_TOO_LARGE, MILLRACE_PRODUCE_FAILED
   */
  append(batch: MessageBatch): Promise<void> | undefined {
    this.check(batch);
    if (batch.count === 0) return undefined;
    if (this.holdsAppends && this.isHoldingBack) return this.hold(batch);
    this.write(batch);
    return undefined;
  }

  /** @throws MILLRACE_MESSAGE_TOO_LARGE if `append` would refuse this batch. */
  check(batch: MessageBatch): void {
    const { maxMessageBytes } = this.limits;
    if (batch.largest <= maxMessageBytes) return;
    throw new MillraceError(
      'MILLRACE_MESSAGE_TOO_LARGE',
      `a message of ${batch.largest} bytes for ${this.topic}-${this.partition}, which takes ${maxMessageBytes} at most`,
    );
  }

  /** As `append`, at any lead: part of a transaction that has begun. */
  appendNow(batch: MessageBatch): void {
    if (batch.count > 0) this.write(batch);
  }

  /** The segment that holds `offset`, for readers that need no objects. `offset` lies within [startOffset, endOffset). */
  segmentAt(offset: number): Segment {
    return this.segments.segmentAt(offset);
  }

  /** Log append time of the record at `offset`, which lies within [startOffset, endOffset). */
  timeOf(offset: number): number {
    const segment = this.segmentAt(offset);
    return segment.times[offset - segment.baseOffset] ?? NaN;
  }

  /** The first record that was not appended before `time`; the end if there is none. */
  offsetAt(time: number): number {
    let [low, high] = [this.startOffset, this.endOffset];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.timeOf(middle) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Bytes in the log from the record `from` on. */
  bytesFrom(from: number): number {
    return this.segments.endPosition - this.segments.positionOf(from);
  }

  /** Records from `from` on: at least one if there is one, then as many as fit. Below `startOffset` it begins there. */
  read(from: number, limits: { readonly maxRecords: number; readonly maxBytes: number }): LogRecord[] {
    const records: LogRecord[] = [];
    let offset = Math.max(from, this.startOffset);
    let bytes = 0;
    while (offset < this.endOffset && records.length < limits.maxRecords) {
      const segment = this.segmentAt(offset);
      const index = offset - segment.baseOffset;
      bytes += segment.position(index + 1) - segment.position(index);
      if (bytes > limits.maxBytes && records.length > 0) break;
      records.push(segment.record(index));
      offset++;
    }
    return records;
  }

  /** Calls `listener` after each append, until the returned function is called. */
  watch(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Calls `listener` after each commit, until the returned function is called. */
  watchCommits(listener: (group: string) => void): () => void {
    this.commitListeners.add(listener);
    return () => this.commitListeners.delete(listener);
  }

  /** Lets a group count for retention and back-pressure, from `offset` on. */
  subscribe(group: string, offset: number): void {
    this.committed.set(group, offset);
    this.updateLowest();
  }

  /** @returns the group's committed offset, if it is subscribed. */
  committedOffset(group: string): number | undefined {
    return this.committed.get(group);
  }

  /** Notes how far a group has come: retention may drop what lies below, and held appends go on. */
  commit(group: string, offset: number): void {
    this.committed.set(group, offset);
    this.updateLowest();
    this.trim();
    this.release();
    for (const listener of [...this.commitListeners]) listener(group);
  }

  /** Held appends fail: nothing will commit any more. */
  close(): void {
    for (const { reject } of this.held.splice(0)) reject(new MillraceError('MILLRACE_PRODUCE_FAILED', 'the log was closed'));
    this.segments.close();
  }

  private hold(batch: MessageBatch): Promise<void> {
    this.heldBackCount++;
    return new Promise((resolve, reject) => this.held.push({ batch, resolve, reject }));
  }

  private release(): void {
    while (this.held.length > 0 && this.leadBytes < this.limits.maxLeadBytes) {
      const { batch, resolve, reject } = this.held.shift() as HeldAppend;
      try {
        this.write(batch);
        resolve();
      } catch (error) {
        reject(error as Error);
      }
    }
  }

  private write(batch: MessageBatch): void {
    const time = Math.max(this.clock.now(), this.lastTime);
    this.segments.append(batch, time);
    this.lastTime = time;
    this.trim();
    for (const listener of [...this.listeners]) listener();
  }

  private trim(): void {
    this.segments.trim(this.minCommitted, this.limits.retentionBytes);
  }

  private updateLowest(): void {
    const offset = Math.min(...this.committed.values());
    this.lowest = { offset, position: this.segments.positionOf(offset) };
  }
}
