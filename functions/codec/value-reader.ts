import { type ReadShape, setField } from './shape-reader.ts';
import { MAX_DEPTH, Tag, TextKind } from './value-format.ts';

/** Bytes that are no value. Callers turn it into their coded error. */
export class Malformed extends Error {}

/** Text up to this long is decoded at once; its strings are slices of it and keep it alive as long as they live. */
export const SLICED_TEXT = 0x1000;

/**
 * Reads values from a structure, a text and shapes (value-format.ts). Set `position`, `end` and the text before `read`. What it returns
 * shares no memory with the bytes.
 */
export class ValueReader {
  position = 0;
  end = 0;
  readonly bytes: Buffer;
  private readonly view: DataView;
  private readonly shapes: readonly ReadShape[];
  private depth = 0;
  /** The text, where it is decoded at once; else its bytes are from `textStart` on, one for each unit. */
  private text: string | undefined = '';
  private textStart = 0;
  /** Units of the text that have been read. */
  textPosition = 0;
  private textEnd = 0;
  /** Whether slices of the text have to be copied, because it is long. */
  private copies = false;

  constructor(bytes: Buffer, shapes: readonly ReadShape[]) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.shapes = shapes;
  }

  /** Strings come from these bytes. Begins a value anew, even if the one before could not be read. */
  useText(kind: number, start: number, end: number): void {
    if (kind === TextKind.NONE) this.useString('');
    else if (kind !== TextKind.ASCII) this.useString(this.bytes.toString(kind === TextKind.UTF8 ? 'utf8' : 'utf16le', start, end));
    else if (end - start <= SLICED_TEXT) this.useString(this.bytes.toString('latin1', start, end));
    else this.useBytes(start, end);
  }

  /** Strings come from this text, from a position on. */
  useString(text: string, position = 0): void {
    this.depth = 0;
    this.text = text;
    this.textPosition = position;
    this.textEnd = text.length;
    this.copies = text.length > SLICED_TEXT;
  }

  /** Strings come from these bytes of ASCII, each decoded by itself. */
  private useBytes(start: number, end: number): void {
    this.depth = 0;
    this.text = undefined;
    this.textPosition = 0;
    this.textStart = start;
    this.textEnd = end - start;
  }

  /** Whether all of the structure and of the text has been read. */
  get isAtEnd(): boolean {
    return this.position === this.end && this.textPosition === this.textEnd;
  }

  /** The next item. @throws Malformed or RangeError */
  read(): unknown {
    const { position } = this;
    if (position >= this.end) throw new Malformed('the value is cut off');
    const tag = this.bytes[position] as number;
    this.position = position + 1;
    if (tag < Tag.SHORT_STRING) return tag;
    if (tag < Tag.SHORT_SHAPE) return this.readString(tag & 0x3f);
    if (tag < Tag.NULL) return this.readObject(tag & 0x1f);
    if (tag >= Tag.SHORT_ARRAY) return this.readArray(tag & 0x07);
    return this.readTagged(tag);
  }

  readVarint(): number {
    let value = 0;
    let unit = 1;
    for (let i = 0; i < 8; i++) {
      if (this.position >= this.end) break;
      const byte = this.bytes[this.position++] as number;
      value += (byte & 0x7f) * unit;
      if (byte < 0x80 && value <= Number.MAX_SAFE_INTEGER) return value;
      unit *= 0x80;
    }
    throw new Malformed('a number is cut off, or too large');
  }

  readFloat64(): number {
    return this.view.getFloat64(this.advance(8), true);
  }

  private readString(length: number): string {
    const start = this.textPosition;
    const end = start + length;
    if (end > this.textEnd) throw new Malformed('a string is longer than the text');
    this.textPosition = end;
    if (this.text === undefined) return this.bytes.toString('latin1', this.textStart + start, this.textStart + end);
    const slice = this.text.slice(start, end);
    return this.copies && length > 12 ? Buffer.from(slice, 'utf16le').toString('utf16le') : slice;
  }

  private readTagged(tag: number): unknown {
    switch (tag) {
      case Tag.NULL:
        return null;
      case Tag.UNDEFINED:
        return undefined;
      case Tag.FALSE:
        return false;
      case Tag.TRUE:
        return true;
      case Tag.UINT8:
        return this.view.getUint8(this.advance(1));
      case Tag.UINT16:
        return this.view.getUint16(this.advance(2), true);
      case Tag.INT32:
        return this.view.getInt32(this.advance(4), true);
      case Tag.FLOAT64:
        return this.readFloat64();
      case Tag.STRING:
        return this.readString(this.readVarint());
      case Tag.SHAPE:
        return this.readObject(this.readVarint());
      case Tag.ARRAY:
        return this.readArray(this.readCount(1));
      default:
        return this.readRare(tag);
    }
  }

  private readRare(tag: number): unknown {
    switch (tag) {
      case Tag.OBJECT:
        return this.readWithKeys(this.readCount(2));
      case Tag.MAP:
        return this.readMap(this.readCount(2));
      case Tag.SET:
        return this.readSet(this.readCount(1));
      case Tag.DATE:
        return new Date(this.readFloat64());
      case Tag.BYTES:
        return this.readBytes(this.readVarint());
      case Tag.BIGINT64:
        return this.view.getBigInt64(this.advance(8), true);
      case Tag.BIGINT:
        return this.readBigInt();
      default:
        throw new Malformed(`there is no tag ${tag}`);
    }
  }

  /** Steps over `count` bytes; returns where they begin. */
  private advance(count: number): number {
    const start = this.position;
    if (count > this.end - start) throw new Malformed('the value is cut off');
    this.position = start + count;
    return start;
  }

  /** A number of entries of at least `bytes` each: a forged one must not make us allocate more than the input's size. */
  private readCount(bytes: number): number {
    const count = this.readVarint();
    if (count * bytes > this.end - this.position) throw new Malformed('a count is larger than the value');
    return count;
  }

  private enter(): void {
    if (++this.depth > MAX_DEPTH) throw new Malformed('the value is nested too deep');
  }

  private readObject(index: number): object {
    const shape = this.shapes[index];
    if (shape === undefined || shape.size > this.end - this.position) throw new Malformed('an object is cut off, or has no shape');
    this.enter();
    const made = shape.read(this);
    this.depth--;
    return made;
  }

  private readWithKeys(count: number): object {
    this.enter();
    const made: Record<string, unknown> = {};
    for (let i = 0; i < count; i++) {
      const key = this.read();
      if (typeof key !== 'string') throw new Malformed('a key is no string');
      setField(made, key, this.read());
    }
    this.depth--;
    return made;
  }

  private readArray(count: number): unknown[] {
    this.enter();
    const made: unknown[] = [];
    for (let i = 0; i < count; i++) made.push(this.read());
    this.depth--;
    return made;
  }

  private readMap(count: number): Map<unknown, unknown> {
    this.enter();
    const made = new Map<unknown, unknown>();
    for (let i = 0; i < count; i++) {
      const key = this.read();
      made.set(key, this.read());
    }
    this.depth--;
    return made;
  }

  private readSet(count: number): Set<unknown> {
    this.enter();
    const made = new Set<unknown>();
    for (let i = 0; i < count; i++) made.add(this.read());
    this.depth--;
    return made;
  }

  private readBytes(length: number): Uint8Array {
    const start = this.advance(length);
    const made = new Uint8Array(length);
    made.set(this.bytes.subarray(start, start + length));
    return made;
  }

  private readBigInt(): bigint {
    const negative = this.bytes[this.advance(1)] === 1;
    const length = this.readVarint();
    const start = this.advance(length);
    const magnitude = BigInt(`0x0${this.bytes.toString('hex', start, start + length)}`);
    return negative ? -magnitude : magnitude;
  }
}
