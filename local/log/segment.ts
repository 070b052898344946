import { crc32 } from 'node:zlib';
import { messageEnd, readMessage, SMALLEST_MESSAGE } from '../../functions/channels/embedded/message-layout.ts';
import { MillraceError } from '../../functions/shared/errors.ts';
import type { MessageBatch } from './message-batch.ts';

/**
 * One append in a segment: u32 length of what follows the checksum, u32 CRC-32 of that, u32 count, f64 log append time, messages.
 * The same bytes stand in memory and in the segment's file, so an append is on disk whole or, torn, not at all.
 */
export const BATCH_HEADER_BYTES = 20;
const CHECKED_FROM = 8;
const FIRST_SLAB_BYTES = 16 * 1024;

/** One record of the log. The binary fields are views on the segment. */
export interface LogRecord {
  readonly offset: number;
  /** Log append time in ms; never falls within a partition. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly (readonly [name: string, value: Uint8Array])[];
}

/**
 * A run of consecutive offsets in one buffer: no object per record. Only the newest segment of a partition grows; what has been
 * written never changes, so views stay valid even when the buffer is replaced by a larger one.
 */
export class Segment {
  readonly baseOffset: number;
  count = 0;
  /** Bytes in use, of `bytes`. */
  used = 0;
  bytes: Buffer;
  /** Where each message begins in `bytes`. */
  positions: Uint32Array;
  times: Float64Array;
  private readonly withChecksums: boolean;

  constructor(baseOffset: number, withChecksums: boolean, bytes = Buffer.allocUnsafeSlow(FIRST_SLAB_BYTES)) {
    this.baseOffset = baseOffset;
    this.withChecksums = withChecksums;
    this.bytes = bytes;
    this.positions = new Uint32Array(256);
    this.times = new Float64Array(256);
  }

  get endOffset(): number {
    return this.baseOffset + this.count;
  }

  /** Appends a batch; returns where its bytes begin. */
  append(batch: MessageBatch, time: number): number {
    const start = this.used;
    const end = start + BATCH_HEADER_BYTES + batch.bytes;
    this.reserve(end, this.count + batch.count);
    batch.write(this.bytes, start + BATCH_HEADER_BYTES, this.positions, this.count);
    this.times.fill(time, this.count, this.count + batch.count);
    this.bytes.writeUInt32LE(end - start - CHECKED_FROM, start);
    this.bytes.writeUInt32LE(batch.count, start + 8);
    this.bytes.writeDoubleLE(time, start + 12);
    this.bytes.writeUInt32LE(this.withChecksums ? crc32(this.bytes.subarray(start + CHECKED_FROM, end)) : 0, start + 4);
    this.used = end;
    this.count += batch.count;
    return start;
  }

  /** Takes back the last append, which began at `start`. */
  rollBack(start: number, count: number): void {
    this.used = start;
    this.count -= count;
  }

  /** Bytes from the segment's start to the record `index`; all of them at its end. */
  position(index: number): number {
    return index >= this.count ? this.used : (this.positions[index] ?? 0);
  }

  record(index: number): LogRecord {
    const message = readMessage(this.bytes, this.positions[index] ?? 0);
    return { offset: this.baseOffset + index, timestamp: this.times[index] ?? 0, ...message };
  }

  /**
   * Indexes the batches that `bytes` begins with; stops at the first whose checksum does not hold, which is a torn one.
   *
   * @returns the number of bytes that are good.
   * @throws MILLRACE_DATA_INVALID for a batch whose checksum holds and that is none: it was never torn, so it is not to be cut off.
   */
  recover(): number {
    for (let batch = this.batchAt(this.used); batch; batch = this.batchAt(this.used)) {
      if (batch.count * SMALLEST_MESSAGE > batch.end - this.used || !Number.isFinite(batch.time)) throw this.noBatch();
      this.growIndex(this.count + batch.count);
      this.times.fill(batch.time, this.count, this.count + batch.count);
      this.indexMessages(this.bytes.subarray(0, batch.end), batch.count);
      this.used = batch.end;
    }
    return this.used;
  }

  /** Notes where the `count` messages begin that follow the header at `used` and fill `bytes`. */
  private indexMessages(bytes: Buffer, count: number): void {
    let at = this.used + BATCH_HEADER_BYTES;
    try {
      for (let i = 0; i < count; i++) {
        this.positions[this.count++] = at;
        at = messageEnd(bytes, at);
      }
    } catch (cause) {
      throw this.noBatch(cause);
    }
    if (at !== bytes.length) throw this.noBatch();
  }

  private noBatch(cause?: unknown): MillraceError {
    return new MillraceError(
      'MILLRACE_DATA_INVALID',
      `the log's segment from offset ${this.baseOffset} has a batch at byte ${this.used} that is none; start with another --data`,
      { cause },
    );
  }

  private batchAt(start: number): { count: number; time: number; end: number } | undefined {
    if (start + BATCH_HEADER_BYTES > this.bytes.length) return undefined;
    const end = start + CHECKED_FROM + this.bytes.readUInt32LE(start);
    if (end > this.bytes.length || end < start + BATCH_HEADER_BYTES) return undefined;
    if (crc32(this.bytes.subarray(start + CHECKED_FROM, end)) !== this.bytes.readUInt32LE(start + 4)) return undefined;
    return { count: this.bytes.readUInt32LE(start + 8), time: this.bytes.readDoubleLE(start + 12), end };
  }

  private reserve(bytes: number, count: number): void {
    this.growIndex(count);
    if (bytes <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(bytes, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.used);
    this.bytes = larger;
  }

  private growIndex(count: number): void {
    if (count <= this.positions.length) return;
    const capacity = Math.max(count, this.positions.length * 2);
    const [positions, times] = [new Uint32Array(capacity), new Float64Array(capacity)];
    positions.set(this.positions);
    times.set(this.times);
    [this.positions, this.times] = [positions, times];
  }
}
