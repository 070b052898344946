import { types } from 'node:util';
import { isBaseInstance, isPlainObject, Refusal } from './not-encodable.ts';
import { type Shape, ShapeTable } from './shape-table.ts';
import { MAX_BLOCK_BYTES, MAX_DEPTH, Tag } from './value-format.ts';

/** Room that is there before each item, for its tag and a number or a varint. */
const ITEM_BYTES = 16;

/**
 * Appends values to a growing structure, text and shape table (value-format.ts). `write` throws a `Refusal` for what can't be encoded
 * and then leaves a part of the value behind: the caller goes back to a position that it kept.
 *
 * The text is a JavaScript string that grows by concatenation (V8 keeps it as a rope and flattens it once, at the end): several times
 * cheaper than a native write for each string, and going back is an assignment.
 */
export class ValueWriter {
  /** The structure, up to `position`; replaced when it grows. */
  bytes: Buffer;
  position = 0;
  text = '';
  readonly shapes = new ShapeTable();
  /** The structure may not grow beyond this position. */
  limit = MAX_BLOCK_BYTES;
  private view: DataView;
  /** Shape of the last value written, as of the fields inside of a shape. */
  private readonly root: (Shape | undefined)[] = [undefined];

  constructor(initialBytes: number) {
    this.bytes = Buffer.allocUnsafeSlow(initialBytes);
    this.view = viewOf(this.bytes);
  }

  /** Begins anew, with the buffer it has. */
  clear(): void {
    this.position = 0;
    this.text = '';
    this.root[0] = undefined;
    this.shapes.truncate(0);
  }

  write(value: unknown): void {
    this.writeItem(value, 0, this.root, 0);
  }

  writeVarint(value: number): void {
    this.reserve(ITEM_BYTES);
    while (value >= 0x80) {
      this.bytes[this.position++] = (value % 0x80) | 0x80;
      value = Math.floor(value / 0x80);
    }
    this.bytes[this.position++] = value;
  }

  /** Makes room for `count` bytes more. */
  reserve(count: number): void {
    if (this.position + count > this.bytes.length) this.grow(this.position + count);
  }

  writeFloat64(value: number): void {
    this.reserve(ITEM_BYTES);
    if (Number.isNaN(value)) this.view.setBigUint64(this.position, 0x7ff8000000000000n, true);
    else this.view.setFloat64(this.position, value, true);
    this.position += 8;
  }

  /** `inside[slot]` is the shape that was last seen in this place. */
  private writeItem(value: unknown, depth: number, inside: (Shape | undefined)[], slot: number): void {
    if (this.position + ITEM_BYTES > this.bytes.length) this.grow(this.position + ITEM_BYTES);
    switch (typeof value) {
      case 'string':
        this.writeString(value);
        return;
      case 'number':
        this.writeNumber(value);
        return;
      case 'boolean':
        this.bytes[this.position++] = value ? Tag.TRUE : Tag.FALSE;
        return;
      case 'undefined':
        this.bytes[this.position++] = Tag.UNDEFINED;
        return;
      case 'object':
        if (value === null) this.bytes[this.position++] = Tag.NULL;
        else this.writeObject(value, depth, inside, slot);
        return;
      case 'bigint':
        this.writeBigInt(value);
        return;
      default:
        throw new Refusal();
    }
  }

  private writeString(value: string): void {
    const { length } = value;
    if (length < 0x40) {
      this.bytes[this.position++] = Tag.SHORT_STRING | length;
    } else {
      this.bytes[this.position++] = Tag.STRING;
      this.writeVarint(length);
      if (this.text.length + length > MAX_BLOCK_BYTES) throw new Refusal(true);
    }
    this.text += value;
  }

  private writeNumber(value: number): void {
    const { bytes, position } = this;
    if ((value | 0) !== value || (value === 0 && Object.is(value, -0))) {
      bytes[this.position++] = Tag.FLOAT64;
      this.writeFloat64(value);
    } else if (value >= 0 && value < 0x80) {
      bytes[this.position++] = value;
    } else if (value >= 0 && value < 0x10000) {
      if (value < 0x100) {
        bytes[position] = Tag.UINT8;
        bytes[position + 1] = value;
        this.position = position + 2;
        return;
      }
      bytes[position] = Tag.UINT16;
      bytes[position + 1] = value;
      bytes[position + 2] = value >>> 8;
      this.position = position + 3;
    } else {
      bytes[position] = Tag.INT32;
      this.view.setInt32(position + 1, value, true);
      this.position = position + 5;
    }
  }

  private writeObject(value: object, depth: number, inside: (Shape | undefined)[], slot: number): void {
    if (depth >= MAX_DEPTH) throw new Refusal();
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype) this.writePlainObject(value as Record<string, unknown>, depth, inside, slot);
    else if (prototype === Array.prototype && Array.isArray(value)) this.writeArray(value, depth, inside, slot);
    else this.writeOther(value, depth, inside, slot);
  }

  private writePlainObject(value: Record<string, unknown>, depth: number, inside: (Shape | undefined)[], slot: number): void {
    const last = inside[slot];
    if (last !== undefined && last.index >= 0 && hasKeys(value, last.keys)) {
      this.writeAlike(value, last, depth);
      return;
    }
    const keys = Object.keys(value);
    const shape = this.shapes.find(keys);
    inside[slot] = shape;
    if (shape === undefined) {
      this.writeWithKeys(value, keys, depth);
      return;
    }
    this.writeShape(shape);
    for (let i = 0; i < keys.length; i++) this.writeItem(value[keys[i] as string], depth + 1, shape.inside, i);
  }

  /** for-in rather than the shape's keys: V8 then reads the fields by place, three times as fast as by name. */
  private writeAlike(value: Record<string, unknown>, shape: Shape, depth: number): void {
    this.writeShape(shape);
    let slot = 0;
    for (const key in value) this.writeItem(value[key], depth + 1, shape.inside, slot++);
    if (slot !== shape.keys.length) throw new Refusal();
  }

  private writeShape({ index }: Shape): void {
    if (index < 0x20) {
      this.bytes[this.position++] = Tag.SHORT_SHAPE | index;
    } else {
      this.bytes[this.position++] = Tag.SHAPE;
      this.writeVarint(index);
    }
  }

  private writeWithKeys(value: Record<string, unknown>, keys: readonly string[], depth: number): void {
    this.bytes[this.position++] = Tag.OBJECT;
    this.writeVarint(keys.length);
    const inside = [undefined];
    for (const key of keys) {
      this.reserve(ITEM_BYTES);
      this.writeString(key);
      this.writeItem(value[key], depth + 1, inside, 0);
    }
  }

  private writeArray(value: readonly unknown[], depth: number, inside: (Shape | undefined)[], slot: number): void {
    const { length } = value;
    if (length < 8) {
      this.bytes[this.position++] = Tag.SHORT_ARRAY | length;
    } else {
      this.bytes[this.position++] = Tag.ARRAY;
      this.writeVarint(length);
    }
    for (let i = 0; i < length; i++) this.writeItem(value[i], depth + 1, inside, slot);
  }

  /** What is no plain object or array of this realm; the checks hold for objects of any realm (vm contexts, jest). */
  private writeOther(value: object, depth: number, inside: (Shape | undefined)[], slot: number): void {
    if (types.isUint8Array(value)) this.writeBytes(value);
    else if (isPlainObject(value)) this.writePlainObject(value as Record<string, unknown>, depth, inside, slot);
    else if (!isBaseInstance(value)) throw new Refusal();
    else if (Array.isArray(value)) this.writeArray(value, depth, inside, slot);
    else if (types.isDate(value)) this.writeDate(value);
    else if (types.isMap(value)) this.writeMap(value, depth, inside, slot);
    else if (types.isSet(value)) this.writeSet(value, depth, inside, slot);
    else throw new Refusal();
  }

  private writeBytes(value: Uint8Array): void {
    this.bytes[this.position++] = Tag.BYTES;
    this.writeVarint(value.length);
    this.reserve(value.length);
    this.bytes.set(value, this.position);
    this.position += value.length;
  }

  private writeDate(value: Date): void {
    this.bytes[this.position++] = Tag.DATE;
    this.writeFloat64(Date.prototype.getTime.call(value));
  }

  private writeMap(value: ReadonlyMap<unknown, unknown>, depth: number, inside: (Shape | undefined)[], slot: number): void {
    this.bytes[this.position++] = Tag.MAP;
    this.writeVarint(value.size);
    const insideKeys = [undefined];
    for (const [key, item] of value) {
      this.writeItem(key, depth + 1, insideKeys, 0);
      this.writeItem(item, depth + 1, inside, slot);
    }
  }

  private writeSet(value: ReadonlySet<unknown>, depth: number, inside: (Shape | undefined)[], slot: number): void {
    this.bytes[this.position++] = Tag.SET;
    this.writeVarint(value.size);
    for (const item of value) this.writeItem(item, depth + 1, inside, slot);
  }

  private writeBigInt(value: bigint): void {
    if (BigInt.asIntN(64, value) === value) {
      this.bytes[this.position++] = Tag.BIGINT64;
      this.view.setBigInt64(this.position, value, true);
      this.position += 8;
      return;
    }
    const hex = (value < 0n ? -value : value).toString(16);
    const magnitude = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
    this.bytes[this.position++] = Tag.BIGINT;
    this.bytes[this.position++] = value < 0n ? 1 : 0;
    this.writeVarint(magnitude.length);
    this.reserve(magnitude.length);
    this.bytes.set(magnitude, this.position);
    this.position += magnitude.length;
  }

  private grow(needed: number): void {
    if (needed > this.limit + ITEM_BYTES) throw new Refusal(true);
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.bytes.length));
    larger.set(this.bytes.subarray(0, this.position));
    this.bytes = larger;
    this.view = viewOf(larger);
  }
}

/** Whether the object has just these keys in this order. Checked before anything is written, so that no value is written twice. */
function hasKeys(value: Record<string, unknown>, keys: readonly string[]): boolean {
  let i = 0;
  for (const key in value) if (key !== keys[i++]) return false;
  return i === keys.length;
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
