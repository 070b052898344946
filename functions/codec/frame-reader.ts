import { crc32 } from 'node:zlib';
import { isMillraceError, MillraceError } from '../shared/errors.ts';
import { isKey, type Key } from '../shared/key.ts';
import {
  CRC_BYTES,
  FRAME_MAGIC,
  FRAME_VERSION,
  type FrameHeader,
  KeyFlag,
  OriginFlag,
  PREAMBLE_BYTES,
  RECORD_PREFIX,
  TAG_FLAG,
  TimeFlag,
  type WatermarkStep,
  WIDE_FLAG,
} from './frame-format.ts';
import { type FrameLayout, parseHeader } from './frame-header.ts';
import { parseShapes } from './shape-reader.ts';
import { Tag, TextKind } from './value-format.ts';
import { Malformed, SLICED_TEXT, ValueReader } from './value-reader.ts';

/**
 * Checks a frame and reads its header.
 *
 * @throws MILLRACE_FRAME_CORRUPT for bytes that are no frame, or were changed; MILLRACE_FRAME_VERSION for a frame of a newer format.
 */
export function openFrame(bytes: Uint8Array): FrameReader {
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  checkFrame(frame);
  try {
    return new FrameReader(frame, parseHeader(frame));
  } catch (error) {
    throw corrupt('its header or its shapes cannot be read', error);
  }
}

/**
 * Goes through the records of a frame: after `next()` has returned true, the fields are those of the record at `position`, and `value()`
 * decodes its value, anew with each call. A record whose value is not asked for is skipped at little cost.
 */
export class FrameReader implements FrameHeader {
  readonly upstream: string;
  readonly upstreamTasks: number;
  readonly firstTime: number;
  readonly lastTime: number;
  readonly ingestFirst: number;
  readonly ingestLast: number;
  readonly count: number;
  readonly idleFrom: number | undefined;
  /** In ascending order of positions; a step at `count` comes after all records. */
  readonly steps: readonly WatermarkStep[];

  /** Place of the current record in the frame; −1 before the first `next()`. */
  position = -1;
  offset = 0;
  ordinal = 0;
  emission = -1;
  timestamp: number | undefined;
  tag = 0;

  private readonly values: ValueReader;
  private readonly layout: FrameLayout;
  private nextRecord: number;
  private nextText: number;
  private nextTextLength: number;
  private valueStart = 0;
  /** The record's part of the text; its first `keyUnits` are those of a key that was written with it. */
  private textStart = 0;
  private textEnd = 0;
  private keyUnits = 0;
  /** That part decoded, once it was asked for. */
  private text: string | undefined;
  private lastTimestamp: number | undefined;
  private hasKey = false;
  private lastKey: Key | undefined;
  /** Place of the last key's text, as long as nobody has asked for it. */
  private pendingKey = -1;
  private pendingUnits = 0;

  constructor(bytes: Buffer, layout: FrameLayout) {
    const { header, shapesStart, textStart } = layout;
    this.upstream = header.upstream;
    this.upstreamTasks = header.upstreamTasks;
    this.firstTime = header.firstTime;
    this.lastTime = header.lastTime;
    this.ingestFirst = header.ingestFirst;
    this.ingestLast = header.ingestLast;
    this.count = header.count;
    this.idleFrom = header.idleFrom;
    this.steps = layout.steps;
    this.layout = layout;
    this.values = new ValueReader(bytes, shapesStart === textStart ? [] : parseShapes(bytes.toString('utf8', shapesStart, textStart)));
    this.nextRecord = layout.structureStart;
    this.nextText = textStart;
    this.nextTextLength = layout.textLengthsStart;
  }

  /** Goes to the next record; false if there is none. @throws MILLRACE_FRAME_CORRUPT */
  next(): boolean {
    if (this.position + 1 >= this.count) return false;
    try {
      this.readMeta();
    } catch (error) {
      throw corrupt(`record ${this.position + 1} cannot be read`, error);
    }
    this.position++;
    return true;
  }

  /** Key of the current record. Not to be changed: records that follow may share it. */
  get key(): Key | undefined {
    if (!this.hasKey) return undefined;
    if (this.pendingKey >= 0) this.decodeKey();
    return this.lastKey;
  }

  /** The value of the current record: each call gives an object of its own. @throws MILLRACE_FRAME_CORRUPT */
  value(): unknown {
    const { values } = this;
    try {
      values.position = this.valueStart;
      values.end = this.nextRecord;
      this.useText(this.keyUnits);
      const value = values.read();
      if (!values.isAtEnd) throw new Malformed('the value is shorter than its record');
      return value;
    } catch (error) {
      throw corrupt(`the value of record ${this.position} cannot be read`, error);
    }
  }

  /** Back to before the first record. */
  rewind(): void {
    const { structureStart, textStart, textLengthsStart } = this.layout;
    this.position = -1;
    this.offset = 0;
    this.ordinal = 0;
    this.emission = -1;
    this.timestamp = undefined;
    this.lastTimestamp = undefined;
    this.tag = 0;
    this.hasKey = false;
    this.lastKey = undefined;
    this.pendingKey = -1;
    this.nextRecord = structureStart;
    this.nextText = textStart;
    this.nextTextLength = textLengthsStart;
  }

  /** The watermark that stands right before the record at `position`, if there is a step; at `count`: after the last one. */
  stepAt(position: number): number | undefined {
    const { steps } = this;
    let low = 0;
    let high = steps.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((steps[middle] as WatermarkStep).position < position) low = middle + 1;
      else high = middle;
    }
    const step = steps[low];
    return step?.position === position ? step.watermark : undefined;
  }

  private readMeta(): void {
    const { values } = this;
    const start = this.nextRecord;
    const { bytes } = values;
    values.position = start + RECORD_PREFIX;
    values.end = this.layout.structureEnd;
    if (values.position > values.end) throw new Malformed('the record is cut off');
    const flags = bytes[start] as number;
    let structure = (bytes[start + 1] as number) | ((bytes[start + 2] as number) << 8);
    let text = (bytes[start + 3] as number) | ((bytes[start + 4] as number) << 8);
    if (flags & WIDE_FLAG) {
      values.position += 4;
      structure = bytes.readUInt32LE(start + 1);
      text = bytes.readUInt32LE(start + 5);
    }
    this.readOrigin(flags & OriginFlag.MASK);
    this.readTimestamp(flags & TimeFlag.MASK);
    if (flags & TAG_FLAG) this.tag = values.readVarint();
    this.readText(text);
    this.readKey(flags & KeyFlag.MASK);
    this.valueStart = values.position;
    this.nextRecord = values.position + structure;
    if (this.nextRecord > values.end) throw new Malformed('the record is cut off');
  }

  private readOrigin(flag: number): void {
    const { values } = this;
    if (flag === OriginFlag.NEXT_EMISSION) {
      this.emission++;
      return;
    }
    if (flag === OriginFlag.NEXT_OFFSET) {
      this.offset++;
      this.ordinal = 0;
      this.emission = 0;
      return;
    }
    if (flag === OriginFlag.OFFSET) {
      this.offset += values.readVarint();
      this.ordinal = values.readVarint();
    } else {
      this.ordinal += values.readVarint();
    }
    this.emission = values.readVarint();
    if (this.offset > Number.MAX_SAFE_INTEGER || this.ordinal > Number.MAX_SAFE_INTEGER) throw new Malformed('the origin is none');
  }

  private readTimestamp(flag: number): void {
    if (flag === TimeFlag.NONE) {
      this.timestamp = undefined;
      return;
    }
    if (flag === TimeFlag.DELTA) {
      const zigzag = this.values.readVarint();
      this.lastTimestamp = (this.lastTimestamp ?? 0) + ((zigzag >>> 1) ^ -(zigzag & 1));
    } else if (flag === TimeFlag.FLOAT64) {
      this.lastTimestamp = this.values.readFloat64();
    }
    this.timestamp = this.lastTimestamp;
  }

  /** Finds the record's part of the text, of this many units. */
  private readText(units: number): void {
    const { textKind, textEnd } = this.layout;
    let bytes = units;
    if (textKind === TextKind.UTF8) bytes = this.readTextLength();
    else if (textKind === TextKind.UTF16) bytes = 2 * units;
    this.text = undefined;
    this.textStart = this.nextText;
    this.textEnd = this.nextText += bytes;
    if (this.textEnd > textEnd) throw new Malformed('the text is cut off');
  }

  private readTextLength(): number {
    const { values } = this;
    const { position, end } = values;
    values.position = this.nextTextLength;
    values.end = this.layout.structureStart;
    const bytes = values.readVarint();
    this.nextTextLength = values.position;
    values.position = position;
    values.end = end;
    return bytes;
  }

  private readKey(flag: number): void {
    this.keyUnits = 0;
    this.hasKey = flag !== KeyFlag.NONE;
    if (flag === KeyFlag.SAME && this.lastKey === undefined && this.pendingKey < 0) throw new Malformed('there is no key before');
    if (flag !== KeyFlag.VALUE) return;
    const { values } = this;
    const units = (values.bytes[values.position] as number) - Tag.SHORT_STRING;
    if (units >= 0 && units < 0x40 && this.layout.textKind === TextKind.ASCII) {
      // The usual key, a short string: decoded only if somebody asks for it.
      values.position++;
      this.keyUnits = units;
      this.pendingKey = this.textStart;
      this.pendingUnits = units;
      return;
    }
    this.useText(0);
    const key = values.read();
    if (!isKey(key)) throw new Malformed('the key is none');
    this.lastKey = key;
    this.pendingKey = -1;
    this.keyUnits = values.textPosition;
  }

  private decodeKey(): void {
    const { pendingKey, pendingUnits } = this;
    const text = pendingKey === this.textStart ? this.decodeText() : undefined;
    this.lastKey = text?.slice(0, pendingUnits) ?? this.values.bytes.toString('latin1', pendingKey, pendingKey + pendingUnits);
    this.pendingKey = -1;
  }

  /** Key and strings of the value are decoded in one native call, unless they are so long that a slice should not keep all alive. */
  private decodeText(): string | undefined {
    const { textStart, textEnd } = this;
    if (this.layout.textKind === TextKind.ASCII && textEnd - textStart <= SLICED_TEXT) {
      this.text ??= this.values.bytes.toString('latin1', textStart, textEnd);
    }
    return this.text;
  }

  private useText(units: number): void {
    const { values } = this;
    const text = this.decodeText();
    if (text !== undefined) {
      values.useString(text, units);
      return;
    }
    values.useText(this.layout.textKind, this.textStart, this.textEnd);
    values.textPosition = units;
  }
}

function checkFrame(frame: Buffer): void {
  const end = frame.length - CRC_BYTES;
  if (end < PREAMBLE_BYTES || frame[0] !== FRAME_MAGIC) throw corrupt(`its ${frame.length} bytes are no frame`, undefined);
  if (crc32(frame.subarray(0, end)) !== frame.readUInt32LE(end))
    throw corrupt(`the checksum over its ${frame.length} bytes does not match`, undefined);
  if (frame[1] === FRAME_VERSION) return;
  throw new MillraceError(
    'MILLRACE_FRAME_VERSION',
    `the frame has format ${frame[1] ?? 0}, this stage reads format ${FRAME_VERSION}; deploy the stages that read a channel before those that write to it.`,
  );
}

function corrupt(what: string, cause: unknown): MillraceError {
  if (isMillraceError(cause, 'MILLRACE_FRAME_CORRUPT')) return cause;
  return new MillraceError(
    'MILLRACE_FRAME_CORRUPT',
    `a frame is damaged: ${what}. Nothing but Millrace may write to a channel's topic; see that no other producer and no compaction is on it.`,
    { cause },
  );
}
