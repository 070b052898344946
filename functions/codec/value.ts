import { MillraceError } from '../shared/errors.ts';
import { explainRefusal } from './not-encodable.ts';
import { parseShapes, type ReadShape } from './shape-reader.ts';
import { planText, writeText } from './text.ts';
import { TextKind } from './value-format.ts';
import { ValueReader } from './value-reader.ts';
import { ValueWriter } from './value-writer.ts';

/**
 * Single values, for state: first a byte with the kind of text (low 2 bits), whether shapes follow (bit 2) and the format version (high
 * 4 bits), then the lengths that are needed, shapes, text and structure.
 */
const VERSION = 0;
const HAS_SHAPES = 4;

/** A larger buffer than this is not kept for the next value. */
const KEPT_BYTES = 0x40000;

/** The writer at rest; taken out while it is in use, and clear when it is put back, so nothing passes from one call to another. */
let idle: ValueWriter | undefined;

/**
 * Encodes JSON values, undefined, Date, bigint, Uint8Array, Map, Set, NaN, infinities and −0, nested. Of plain objects the own enumerable
 * string keys, in their order; holes of arrays become undefined. Equal values with the same order of keys give equal bytes.
 *
 * @throws MILLRACE_VALUE_NOT_ENCODABLE for anything else, naming its path; MILLRACE_VALUE_TOO_LARGE beyond 256 MiB.
 */
export function encodeValue(value: unknown): Uint8Array {
  const writer = idle ?? new ValueWriter(1024);
  idle = undefined;
  try {
    writer.write(value);
    return assemble(writer);
  } catch (error) {
    throw explainRefusal(error, value);
  } finally {
    writer.clear();
    if (writer.bytes.length <= KEPT_BYTES) idle = writer;
  }
}

/**
 * The value that `encodeValue` was given: plain objects and plain Uint8Arrays, which share no memory with `bytes`.
 *
 * @throws MILLRACE_DECODE_FAILED for bytes that are no such encoding.
 */
export function decodeValue(bytes: Uint8Array): unknown {
  try {
    const reader = openValue(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    const value = reader.read();
    if (reader.isAtEnd) return value;
  } catch (error) {
    throw decodeFailed(bytes.length, error);
  }
  throw decodeFailed(bytes.length, undefined);
}

function assemble(writer: ValueWriter): Uint8Array {
  const { text } = writer;
  const plan = planText(text);
  const shapes = writer.shapes.shapes.length > 0 ? writer.shapes.encode() : undefined;
  const structureEnd = writer.position;
  // The lengths are varints of the same writer, behind the structure; they are copied to the front.
  if (shapes) writer.writeVarint(shapes.length);
  if (plan.kind !== TextKind.NONE) writer.writeVarint(plan.bytes);
  const lengths = writer.position - structureEnd;
  const result = Buffer.allocUnsafeSlow(1 + lengths + (shapes?.length ?? 0) + plan.bytes + structureEnd);
  result[0] = plan.kind | (shapes ? HAS_SHAPES : 0) | (VERSION << 4);
  writer.bytes.copy(result, 1, structureEnd, structureEnd + lengths);
  let position = 1 + lengths;
  if (shapes) position += shapes.copy(result, position);
  position = writeText(result, position, text, plan);
  writer.bytes.copy(result, position, 0, structureEnd);
  return result;
}

const NO_SHAPES: readonly ReadShape[] = [];

function openValue(bytes: Buffer): ValueReader {
  const first = bytes[0];
  if (first === undefined || first >>> 3 !== VERSION << 1) throw new RangeError('another format');
  const lengths = new ValueReader(bytes, NO_SHAPES);
  lengths.position = 1;
  lengths.end = bytes.length;
  const kind = first & 3;
  const shapesLength = first & HAS_SHAPES ? lengths.readVarint() : 0;
  const textLength = kind === TextKind.NONE ? 0 : lengths.readVarint();
  const textStart = lengths.position + shapesLength;
  if (textStart + textLength > bytes.length) throw new RangeError('cut off');
  if (shapesLength === 0) return start(lengths, kind, textStart, textLength);
  return start(new ValueReader(bytes, parseShapes(bytes.toString('utf8', lengths.position, textStart))), kind, textStart, textLength);
}

function start(reader: ValueReader, kind: number, textStart: number, textLength: number): ValueReader {
  reader.position = textStart + textLength;
  reader.end = reader.bytes.length;
  reader.useText(kind, textStart, textStart + textLength);
  return reader;
}

function decodeFailed(length: number, cause: unknown): MillraceError {
  return new MillraceError(
    'MILLRACE_DECODE_FAILED',
    `${length} bytes are no value in Millrace's encoding; they are damaged, or were written by a newer version: check the store, or upgrade.`,
    { cause },
  );
}
