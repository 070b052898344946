import { MillraceError } from '../../functions/shared/errors.ts';
import type { MessageBatch } from './message-batch.ts';
import type { PartitionFiles } from './partition-files.ts';
import { Segment } from './segment.ts';

/** A segment's place; `segment` is undefined while it is only on disk. */
interface Slot {
  readonly baseOffset: number;
  endOffset: number;
  bytes: number;
  segment: Segment | undefined;
}

/**
 * The segments of one partition, oldest first. With files, only the newest `hotBytes` stay in memory and older ones are read again
 * when somebody wants them, one at a time.
 *
 * Positions count bytes since the partition began, dropped ones included.
 */
export class SegmentList {
  private readonly slots: Slot[] = [];
  private readonly files: PartitionFiles | undefined;
  private readonly segmentBytes: number;
  private readonly hotBytes: number;
  /** Last one that was read back from disk. */
  private thawed: Slot | undefined;
  private active: Segment;
  /** Bytes of all segments there are. */
  bytes = 0;
  private droppedBytes = 0;

  constructor(segmentBytes: number, hotBytes: number, files?: PartitionFiles) {
    this.segmentBytes = segmentBytes;
    this.hotBytes = hotBytes;
    this.files = files;
    this.recover();
    this.active = this.last?.segment ?? this.roll(0);
  }

  get startOffset(): number {
    return this.slots[0]?.baseOffset ?? 0;
  }

  get endOffset(): number {
    return this.active.endOffset;
  }

  get endPosition(): number {
    return this.droppedBytes + this.bytes;
  }

  /** Log append time of the newest record; −∞ without one. */
  get lastTime(): number {
    const { times, count } = this.active;
    return count > 0 ? (times[count - 1] ?? -Infinity) : -Infinity;
  }

  /** @throws MILLRACE_PRODUCE_FAILED if the disk does not take it; then nothing has changed. */
  append(batch: MessageBatch, time: number): void {
    if (this.active.used + batch.bytes > this.segmentBytes && this.active.count > 0) this.roll(this.endOffset);
    const segment = this.active;
    const start = segment.append(batch, time);
    try {
      this.files?.write(segment, start);
    } catch (cause) {
      segment.rollBack(start, batch.count);
      throw new MillraceError('MILLRACE_PRODUCE_FAILED', `the log's disk refused ${batch.bytes} bytes: ${(cause as Error).message}`, {
        cause,
      });
    }
    const slot = this.last as Slot;
    this.bytes += segment.used - start;
    slot.bytes = segment.used;
    slot.endOffset = segment.endOffset;
  }

  /** The segment that holds `offset`, which must lie within [startOffset, endOffset). */
  segmentAt(offset: number): Segment {
    if (offset >= this.active.baseOffset) return this.active;
    const slot = this.slots[this.indexOf(offset)] as Slot;
    return slot.segment ?? this.thaw(slot);
  }

  /** Bytes before the record `offset`; of a segment that is only on disk, bytes before the segment. */
  positionOf(offset: number): number {
    let position = this.droppedBytes;
    for (const slot of this.slots) {
      if (offset < slot.endOffset) return position + (slot.segment ? slot.segment.position(offset - slot.baseOffset) : 0);
      position += slot.bytes;
    }
    return position;
  }

  /** Drops the oldest segments that end at or below `offset` while more than `keepBytes` are held. */
  trim(offset: number, keepBytes: number): void {
    while (this.bytes > keepBytes) {
      const oldest = this.slots[0] as Slot;
      if (oldest.endOffset > offset || oldest.endOffset === oldest.baseOffset) return;
      if (oldest.segment === this.active) this.roll(this.endOffset);
      this.slots.shift();
      this.bytes -= oldest.bytes;
      this.droppedBytes += oldest.bytes;
      this.files?.delete(oldest.baseOffset);
    }
  }

  close(): void {
    this.files?.close();
  }

  private get last(): Slot | undefined {
    return this.slots.at(-1);
  }

  /** Begins a new newest segment; its time continues that of the one before. */
  private roll(baseOffset: number): Segment {
    const segment = new Segment(baseOffset, this.files !== undefined);
    this.slots.push({ baseOffset, endOffset: baseOffset, bytes: 0, segment });
    this.active = segment;
    // An empty file keeps the offset where the log goes on, even when all before it has been dropped.
    this.files?.write(segment, 0);
    this.freeze();
    return segment;
  }

  /** Lets go of the memory of old segments that are on disk. */
  private freeze(): void {
    if (!this.files) return;
    let hot = 0;
    for (let i = this.slots.length - 1; i >= 0; i--) {
      const slot = this.slots[i] as Slot;
      hot += slot.bytes;
      if (hot > this.hotBytes && slot !== this.thawed && slot.segment !== this.active) slot.segment = undefined;
    }
  }

  private thaw(slot: Slot): Segment {
    if (this.thawed) this.thawed.segment = undefined;
    this.thawed = slot;
    const segment = this.readBack(slot);
    slot.segment = segment;
    return segment;
  }

  private readBack(slot: Slot): Segment {
    const segment = (this.files as PartitionFiles).read(slot.baseOffset);
    if (segment.endOffset === slot.endOffset) return segment;
    throw new MillraceError(
      'MILLRACE_DATA_INVALID',
      `the log's segment from offset ${slot.baseOffset} ends at ${segment.endOffset} instead of ${slot.endOffset}; start with another --data`,
    );
  }

  private indexOf(offset: number): number {
    let [low, high] = [0, this.slots.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.slots[middle] as Slot).baseOffset <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Takes up the files there are: only the last may be torn, and is cut behind its last whole batch. */
  private recover(): void {
    const bases = this.files?.list() ?? [];
    bases.forEach((baseOffset, i) => {
      const files = this.files as PartitionFiles;
      const next = bases[i + 1];
      const segment = next === undefined ? files.read(baseOffset) : undefined;
      if (segment) files.truncate(segment);
      const bytes = segment?.used ?? files.size(baseOffset);
      this.slots.push({ baseOffset, endOffset: segment?.endOffset ?? (next as number), bytes, segment });
      this.bytes += bytes;
    });
  }
}
