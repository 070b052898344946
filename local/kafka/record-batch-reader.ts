import { SMALLEST_MESSAGE, writeMessage } from '../../functions/channels/embedded/message-layout.ts';
import { ATTRIBUTE, BATCH } from '../../functions/channels/kafka/batch-layout.ts';
import type { EventMessage, EventRecords, TimestampType } from '../emulator/event-records.ts';

/** What stands before the records of a batch (format 2), as far as readers need it. */
export interface BatchHead {
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** Kafka's number; 0: none. */
  readonly compression: number;
  readonly timestampType: TimestampType;
  readonly firstTime: number;
  readonly maxTime: number;
  readonly isTransactional: boolean;
  /** Holds no records but a marker at the end of a transaction. */
  readonly isControl: boolean;
  /** Decimal. */
  readonly producerId: string;
  readonly count: number;
}

/** @param batch - At least `BATCH.records` bytes of it. */
export function readBatchHead(batch: Buffer): BatchHead {
  const attributes = batch.readInt16BE(BATCH.attributes);
  const firstOffset = Number(batch.readBigInt64BE(BATCH.firstOffset));
  return {
    firstOffset,
    lastOffset: firstOffset + batch.readInt32BE(BATCH.lastDelta),
    compression: attributes & ATTRIBUTE.compression,
    timestampType: attributes & ATTRIBUTE.logAppendTime ? 'LOG_APPEND_TIME' : 'CREATE_TIME',
    firstTime: Number(batch.readBigInt64BE(BATCH.firstTime)),
    maxTime: Number(batch.readBigInt64BE(BATCH.maxTime)),
    isTransactional: (attributes & ATTRIBUTE.transactional) !== 0,
    isControl: (attributes & ATTRIBUTE.control) !== 0,
    producerId: batch.readBigInt64BE(BATCH.producerId).toString(),
    count: batch.readInt32BE(BATCH.count),
  };
}

/**
 * The records of one batch, left in the bytes that came from the broker: an index of where each begins, and nothing else, is made of them.
 * An object for each record would keep the garbage collector busy for longer than all the rest takes.
 */
export class BatchRecords implements EventRecords {
  readonly count: number;
  private readonly bytes: Buffer;
  private readonly head: BatchHead;
  /** Of each record: where its key begins, with its length; and one behind the last record. */
  private readonly keys: Uint32Array;
  private readonly offsets: Float64Array;
  private readonly times: Float64Array;
  private readonly sizes: Uint32Array;

  /** @param records - The records, not compressed. @throws RangeError they are none: each is looked at to its end, so nothing fails later */
  constructor(head: BatchHead, records: Buffer) {
    const { count, firstOffset, firstTime, maxTime, timestampType } = head;
    if (count < 0 || count * MIN_RECORD_BYTES > records.length)
      throw new RangeError(`a batch of ${records.length} bytes with ${count} records`);
    this.head = head;
    this.bytes = records;
    this.count = count;
    this.keys = new Uint32Array(count);
    this.sizes = new Uint32Array(count);
    this.offsets = new Float64Array(count);
    this.times = new Float64Array(count);
    const cursor = new Cursor(records, 0);
    for (let i = 0; i < count; i++) {
      const size = cursor.varint();
      const next = cursor.at + size;
      cursor.at++; // attributes
      const time = firstTime + cursor.varint();
      this.times[i] = timestampType === 'LOG_APPEND_TIME' ? maxTime : time;
      this.offsets[i] = firstOffset + cursor.varint();
      this.keys[i] = cursor.at;
      this.sizes[i] = size - OVERHEAD_BYTES;
      cursor.skip(cursor.varint());
      cursor.skip(cursor.varint());
      for (let left = 2 * cursor.varint(); left > 0; left--) cursor.skip(cursor.varint());
      if (cursor.at !== next) throw new RangeError(`record ${i} of a batch does not end where it says`);
    }
  }

  offsetAt(index: number): number {
    return this.offsets[index] as number;
  }

  timeAt(index: number): number {
    return this.times[index] as number;
  }

  bytesAt(index: number): number {
    return this.sizes[index] as number;
  }

  isLogTime(): boolean {
    return this.head.timestampType === 'LOG_APPEND_TIME';
  }

  /** A header takes two bytes at least, and six in the other layout. */
  roomAt(index: number): number {
    return SMALLEST_MESSAGE + 3 * this.bytesAt(index);
  }

  writeMessage(index: number, target: Buffer, at: number): number {
    const cursor = new Cursor(this.bytes, this.keys[index] as number);
    const headersAt = cursor.copyField(target, cursor.copyField(target, at));
    return cursor.varint() === 0 ? target.writeUInt16LE(0, headersAt) : writeMessage(target, at, this.messageAt(index));
  }

  messageAt(index: number): EventMessage {
    const cursor = new Cursor(this.bytes, this.keys[index] as number);
    const [key, value] = [cursor.field(), cursor.field()];
    const headers: [string, Buffer][] = [];
    for (let left = cursor.varint(); left > 0; left--) headers.push([String(cursor.field() ?? ''), cursor.field() ?? EMPTY]);
    const { timestampType } = this.head;
    const place = { offset: this.offsetAt(index), timestamp: this.timeAt(index), timestampType, bytes: this.bytesAt(index) };
    return { key, value, headers, ...place };
  }
}

const EMPTY = Buffer.alloc(0);
/** Attributes, time, offset, lengths and number of headers take this much of a record at least; with its own length, one more. */
const OVERHEAD_BYTES = 6;
const MIN_RECORD_BYTES = OVERHEAD_BYTES + 1;

class Cursor {
  at: number;
  private readonly bytes: Buffer;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  /** A whole number; even ones are written doubled, negative ones between. May go beyond 32 bits, as times do. */
  varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.bytes[this.at++];
      if (byte === undefined || factor > MAX_FACTOR) throw new RangeError('a number that does not end');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
  }

  /** Passes over `length` bytes, none if it is negative; where they end. */
  skip(length: number): number {
    if (length > this.bytes.length - this.at) throw new RangeError('a field that ends behind its batch');
    return (this.at += Math.max(0, length));
  }

  /** Copies a field, with its length in front, as `writeMessage` writes it. */
  copyField(target: Buffer, at: number): number {
    const length = this.varint();
    at = target.writeInt32LE(length < 0 ? -1 : length, at);
    const from = this.at;
    return at + this.bytes.copy(target, at, from, this.skip(length));
  }

  field(): Buffer | null {
    const length = this.varint();
    return length < 0 ? null : this.bytes.subarray(this.at, this.skip(length));
  }
}

/** Of the last of ten bytes. */
const MAX_FACTOR = 0x80 ** 9;
