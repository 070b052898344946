import type { Key } from '../shared/key.ts';
import { KeyFlag, OriginFlag, RECORD_PREFIX, TAG_FLAG, TimeFlag, type WatermarkStep, WIDE_FLAG } from './frame-format.ts';
import { planText } from './text.ts';
import { MAX_BLOCK_BYTES } from './value-format.ts';
import { ValueWriter } from './value-writer.ts';

/** Everything about a record but its value. */
export interface RecordMeta {
  offset: number;
  ordinal: number;
  emission: number;
  timestamp: number | undefined;
  tag: number;
  key: Key | undefined;
}

/** Log times behind the records of a segment. */
export interface SegmentTimes {
  firstTime: number;
  lastTime: number;
  ingestFirst: number;
  ingestLast: number;
}

/** What a segment has to know to go back to this point. Made once and written over: a mark is taken for every record. */
export class SegmentMark {
  position = 0;
  text = '';
  shapes = 0;
  count = 0;
  steps = 0;
  readonly last: RecordMeta = { offset: 0, ordinal: 0, emission: -1, timestamp: undefined, tag: 0, key: undefined };
  readonly times: SegmentTimes = { firstTime: 0, lastTime: 0, ingestFirst: Infinity, ingestLast: -Infinity };
}

/** A frame in the making. A record is first encoded, which may fail or be discarded, then kept; a mark takes back kept ones too. */
export class FrameSegment {
  readonly values: ValueWriter;
  readonly steps: WatermarkStep[] = [];
  count = 0;
  /** Length of the text after each record. */
  readonly textEnds: number[] = [];
  readonly times: SegmentTimes = { firstTime: 0, lastTime: 0, ingestFirst: Infinity, ingestLast: -Infinity };
  /** The last record kept: the next one is written as its difference from it. */
  private readonly last: RecordMeta = { offset: 0, ordinal: 0, emission: -1, timestamp: undefined, tag: 0, key: undefined };
  private startPosition = 0;
  private startText = '';
  private startShapes = 0;

  constructor(initialBytes: number) {
    this.values = new ValueWriter(initialBytes);
  }

  /** Bytes of all records if one is taken for each character. */
  get bytes(): number {
    const { position, text, shapes } = this.values;
    return position + text.length + shapes.bytes;
  }

  /** Bytes of all records if three are taken for each character, which is the most. */
  get mostBytes(): number {
    return this.bytes + 2 * this.values.text.length;
  }

  /** Bytes of the record just encoded. */
  get recordBytes(): number {
    const { position, text, shapes } = this.values;
    const textBytes = planText(text.slice(this.startText.length)).bytes;
    return position - this.startPosition + textBytes + (this.startShapes === 0 ? shapes.bytes : 0);
  }

  /**
   * Encodes a record; nothing of it remains if it throws.
   *
   * @throws Refusal or what a getter of the value throws; RangeError if the origin is not above the last one.
   */
  encode(meta: Readonly<RecordMeta>, value: unknown, maxBytes: number): void {
    const { values } = this;
    this.startPosition = values.position;
    this.startText = values.text;
    this.startShapes = values.shapes.shapes.length;
    values.limit = Math.min(values.position + maxBytes, MAX_BLOCK_BYTES);
    try {
      this.encodeRecord(meta, value);
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  /** Takes back the record that was encoded but not kept. */
  discard(): void {
    this.goBack(this.startPosition, this.startText, this.startShapes);
  }

  /** Makes the encoded record the segment's last one. */
  keep(
    { offset, ordinal, emission, timestamp, tag, key }: Readonly<RecordMeta>,
    time: number,
    ingestFirst: number,
    ingestLast: number,
  ): void {
    const { last, times } = this;
    last.offset = offset;
    last.ordinal = ordinal;
    last.emission = emission;
    if (timestamp !== undefined) last.timestamp = timestamp;
    last.tag = tag;
    if (key !== undefined) last.key = key;
    if (this.count === 0) times.firstTime = time;
    times.lastTime = time;
    if (ingestFirst < times.ingestFirst) times.ingestFirst = ingestFirst;
    if (ingestLast > times.ingestLast) times.ingestLast = ingestLast;
    this.textEnds.push(this.values.text.length);
    this.count++;
  }

  mark(mark: SegmentMark): void {
    const { position, text, shapes } = this.values;
    mark.position = position;
    mark.text = text;
    mark.shapes = shapes.shapes.length;
    mark.count = this.count;
    mark.steps = this.steps.length;
    copyMeta(this.last, mark.last);
    copyTimes(this.times, mark.times);
  }

  reset({ position, text, shapes, count, steps, last, times }: SegmentMark): void {
    this.goBack(position, text, shapes);
    this.count = count;
    this.steps.length = steps;
    this.textEnds.length = count;
    copyMeta(last, this.last);
    copyTimes(times, this.times);
  }

  private goBack(position: number, text: string, shapes: number): void {
    this.values.position = position;
    this.values.text = text;
    this.values.shapes.truncate(shapes);
  }

  private encodeRecord(meta: Readonly<RecordMeta>, value: unknown): void {
    const { values } = this;
    const start = values.position;
    const textStart = values.text.length;
    values.reserve(RECORD_PREFIX);
    values.position = start + RECORD_PREFIX;
    const flags = this.writeOrigin(meta) | this.writeTimestamp(meta.timestamp) | this.writeTag(meta.tag) | this.writeKey(meta.key);
    const valueStart = values.position;
    values.write(value);
    this.writePrefix(start, flags, values.position - valueStart, values.text.length - textStart);
  }

  private writeOrigin(meta: Readonly<RecordMeta>): number {
    const { offset, ordinal, emission } = meta;
    const { last, values } = this;
    const newOffset = offset - last.offset;
    if (newOffset === 1 && ordinal === 0 && emission === 0) return OriginFlag.NEXT_OFFSET;
    const newOrdinal = ordinal - last.ordinal;
    if (newOffset === 0 && newOrdinal === 0 && emission === last.emission + 1) return OriginFlag.NEXT_EMISSION;
    if (!isAfter(meta, last)) {
      throw new RangeError(`origin ${print(meta)} does not come after ${print(last)}: readers would drop it`);
    }
    if (newOffset > 0) values.writeVarint(newOffset);
    values.writeVarint(newOffset > 0 ? ordinal : newOrdinal);
    values.writeVarint(emission);
    return newOffset > 0 ? OriginFlag.OFFSET : OriginFlag.ORDINAL;
  }

  private writeTimestamp(timestamp: number | undefined): number {
    if (timestamp === undefined) return TimeFlag.NONE;
    const before = this.last.timestamp;
    if (timestamp === before) return TimeFlag.SAME;
    const delta = before === undefined ? NaN : timestamp - before;
    if ((delta | 0) === delta && Number.isSafeInteger(timestamp) && Number.isSafeInteger(before)) {
      this.values.writeVarint(((delta << 1) ^ (delta >> 31)) >>> 0);
      return TimeFlag.DELTA;
    }
    this.values.writeFloat64(timestamp);
    return TimeFlag.FLOAT64;
  }

  private writeTag(tag: number): number {
    if (tag === this.last.tag) return 0;
    this.values.writeVarint(tag);
    return TAG_FLAG;
  }

  private writeKey(key: Key | undefined): number {
    if (key === undefined) return KeyFlag.NONE;
    if (key === this.last.key && typeof key !== 'object') return KeyFlag.SAME;
    this.values.write(key);
    return KeyFlag.VALUE;
  }

  private writePrefix(start: number, flags: number, structure: number, text: number): void {
    const { values } = this;
    if (structure >= 0x10000 || text >= 0x10000) {
      values.reserve(4);
      values.bytes.copyWithin(start + RECORD_PREFIX + 4, start + RECORD_PREFIX, values.position);
      values.position += 4;
      values.bytes[start] = flags | WIDE_FLAG;
      values.bytes.writeUInt32LE(structure, start + 1);
      values.bytes.writeUInt32LE(text, start + 5);
      return;
    }
    const { bytes } = values;
    bytes[start] = flags;
    bytes[start + 1] = structure;
    bytes[start + 2] = structure >>> 8;
    bytes[start + 3] = text;
    bytes[start + 4] = text >>> 8;
  }
}

/** Origins are compared lexicographically; they are safe integers from 0 up. */
function isAfter(meta: Readonly<RecordMeta>, last: Readonly<RecordMeta>): boolean {
  if (!(meta.offset >= last.offset && meta.ordinal >= 0 && meta.emission >= 0)) return false;
  if (meta.offset > last.offset) return true;
  return meta.ordinal > last.ordinal || (meta.ordinal === last.ordinal && meta.emission > last.emission);
}

function print({ offset, ordinal, emission }: Readonly<RecordMeta>): string {
  return `${offset}.${ordinal}#${emission}`;
}

function copyMeta(from: Readonly<RecordMeta>, to: RecordMeta): void {
  to.offset = from.offset;
  to.ordinal = from.ordinal;
  to.emission = from.emission;
  to.timestamp = from.timestamp;
  to.tag = from.tag;
  to.key = from.key;
}

function copyTimes(from: Readonly<SegmentTimes>, to: SegmentTimes): void {
  to.firstTime = from.firstTime;
  to.lastTime = from.lastTime;
  to.ingestFirst = from.ingestFirst;
  to.ingestLast = from.ingestLast;
}
