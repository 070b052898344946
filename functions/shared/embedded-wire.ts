import { MillraceError } from './errors.ts';

/**
 * The wire between a function and the harness: length-prefixed messages, little-endian, no JSON but in errors.
 *
 * Request: u32 length of the rest, u32 id, u8 operation, body. Reply: u32 length of the rest, u32 id, u8 status, body. Replies come in
 * any order. A failed reply's body is JSON: `{ code, message }`.
 */

/** Operations of a request. */
export const EMBEDDED_OPERATIONS = { append: 1, partitionCount: 2, read: 3, multi: 4, list: 5, openProducer: 6, transact: 7 } as const;

/** Status of a reply. */
export const EMBEDDED_STATUS = { done: 0, failed: 1 } as const;

/** Bytes before the body of a request or reply. */
export const ENVELOPE_BYTES = 9;

/** A longer message is taken for garbage and ends the connection. */
export const LONGEST_MESSAGE = 64 * 1024 * 1024;

/** One message without its length. `kind` is an operation or a status; `body` shares memory with what was received. */
export interface Envelope {
  readonly id: number;
  readonly kind: number;
  readonly body: Buffer;
}

/** The nine bytes that precede a body of `bodyBytes`. */
export function encodeEnvelope(id: number, kind: number, bodyBytes: number): Buffer {
  const head = Buffer.allocUnsafe(ENVELOPE_BYTES);
  head.writeUInt32LE(ENVELOPE_BYTES - 4 + bodyBytes, 0);
  head.writeUInt32LE(id, 4);
  head[8] = kind;
  return head;
}

/** Cuts a stream of chunks into messages. A message within one chunk is not copied. */
export class EnvelopeSplitter {
  private parts: Buffer[] = [];
  private length = 0;

  /** The messages that `chunk` completes, in order. @throws MILLRACE_CONNECTION_LOST on a length that cannot be true. */
  push(chunk: Buffer): Envelope[] {
    this.parts.push(chunk);
    this.length += chunk.length;
    const out: Envelope[] = [];
    for (let needed = this.needed(); this.length >= needed; needed = this.needed()) {
      const all = this.joined();
      out.push({ id: all.readUInt32LE(4), kind: all.readUInt8(8), body: all.subarray(ENVELOPE_BYTES, needed) });
      this.parts = this.length > needed ? [all.subarray(needed)] : [];
      this.length -= needed;
    }
    return out;
  }

  /** Bytes up to the end of the first message; at least an envelope. */
  private needed(): number {
    if (this.length < ENVELOPE_BYTES) return ENVELOPE_BYTES;
    const first = this.parts[0] as Buffer;
    const length = (first.length < 4 ? this.joined() : first).readUInt32LE(0);
    if (length < ENVELOPE_BYTES - 4 || length > LONGEST_MESSAGE) throw damaged(`a message of ${length} bytes`);
    return 4 + length;
  }

  private joined(): Buffer {
    const all = this.parts.length === 1 ? (this.parts[0] as Buffer) : Buffer.concat(this.parts, this.length);
    this.parts = [all];
    return all;
  }
}

/** Writes a body of a size known beforehand. */
export class BodyWriter {
  readonly buffer: Buffer;
  private at = 0;

  constructor(bytes: number) {
    this.buffer = Buffer.allocUnsafe(bytes);
  }

  u8(value: number): this {
    this.at = this.buffer.writeUInt8(value, this.at);
    return this;
  }

  u32(value: number): this {
    this.at = this.buffer.writeUInt32LE(value, this.at);
    return this;
  }

  /** Text of up to 4 GiB in UTF-8; it takes `textBytes(text)`. */
  text(value: string): this {
    const start = this.at + 4;
    const length = this.buffer.write(value, start);
    this.buffer.writeUInt32LE(length, this.at);
    this.at = start + length;
    return this;
  }

  /** Bytes with their length; they take 4 more than they are. */
  bytes(value: Uint8Array): this {
    this.at = this.buffer.writeUInt32LE(value.length, this.at);
    this.buffer.set(value, this.at);
    this.at += value.length;
    return this;
  }

  /** Leaves `bytes` for the caller to fill; returns where. */
  skip(bytes: number): number {
    const start = this.at;
    this.at += bytes;
    return start;
  }
}

/** Bytes that `BodyWriter.text` takes. */
export function textBytes(value: string): number {
  return 4 + Buffer.byteLength(value);
}

/** Reads what a `BodyWriter` wrote. @throws MILLRACE_CONNECTION_LOST beyond the end. */
export class BodyReader {
  private readonly body: Buffer;
  private at = 0;

  constructor(body: Buffer) {
    this.body = body;
  }

  u8(): number {
    return this.body.readUInt8(this.advance(1));
  }

  u32(): number {
    return this.body.readUInt32LE(this.advance(4));
  }

  text(): string {
    return this.bytes().toString();
  }

  /** A view, not a copy. */
  bytes(): Buffer {
    const length = this.u32();
    const start = this.advance(length);
    return this.body.subarray(start, start + length);
  }

  /** A count, then as many items. None of them is read before its bytes are there, so a false count costs nothing. */
  list<T>(read: (reader: BodyReader) => T): T[] {
    const items: T[] = [];
    for (let left = this.u32(); left > 0; left--) items.push(read(this));
    return items;
  }

  /** All that is left. */
  rest(): Buffer {
    return this.body.subarray(this.at);
  }

  private advance(bytes: number): number {
    const start = this.at;
    if (bytes > this.body.length - start) throw damaged(`${bytes} bytes wanted, ${this.body.length - start} left`);
    this.at = start + bytes;
    return start;
  }
}

/** Nothing of a request that cannot be read is carried out. */
export function damaged(what: string, cause?: unknown): MillraceError {
  return new MillraceError(
    'MILLRACE_CONNECTION_LOST',
    `what came from the other side is not Millrace's protocol (${what}): the bundle is of another version, or another program uses this address`,
    { cause },
  );
}
