import type { OutgoingMessage } from '../channel-writer.ts';

/**
 * Layout of one message, on the wire to the embedded log and in its segments alike, so that the log stores what it receives:
 * i32 length of the key or -1, key; i32 length of the value or -1, value; u16 number of headers; per header u16 length of the name,
 * name, u32 length, value. Little-endian.
 */
export const SMALLEST_MESSAGE = 10;

/** Bytes that `writeMessage` takes for `message`. */
export function messageBytes(message: OutgoingMessage): number {
  let bytes = SMALLEST_MESSAGE + (message.key?.length ?? 0) + (message.value?.length ?? 0);
  for (const [name, value] of message.headers ?? []) bytes += 6 + Buffer.byteLength(name) + value.length;
  return bytes;
}

/** Writes `message` at `at`; returns where it ends. */
export function writeMessage(target: Buffer, at: number, message: OutgoingMessage): number {
  at = writeField(target, at, message.key);
  at = writeField(target, at, message.value);
  const headers = message.headers ?? [];
  at = target.writeUInt16LE(headers.length, at);
  for (const [name, value] of headers) {
    const length = target.write(name, at + 2);
    target.writeUInt16LE(length, at);
    at = target.writeUInt32LE(value.length, at + 2 + length);
    target.set(value, at);
    at += value.length;
  }
  return at;
}

/** Messages one behind the other, in the log's layout. */
export function encodeMessages(messages: readonly OutgoingMessage[]): Buffer {
  let bytes = 0;
  for (const message of messages) bytes += messageBytes(message);
  const body = Buffer.allocUnsafe(bytes);
  writeMessages(body, 0, messages);
  return body;
}

export function writeMessages(target: Buffer, at: number, messages: readonly OutgoingMessage[]): void {
  for (const message of messages) at = writeMessage(target, at, message);
}

function writeField(target: Buffer, at: number, bytes: Uint8Array | null): number {
  at = target.writeInt32LE(bytes ? bytes.length : -1, at);
  if (!bytes) return at;
  target.set(bytes, at);
  return at + bytes.length;
}

/** Where the message at `at` ends. @throws RangeError if it does not end within `source`. */
export function messageEnd(source: Buffer, at: number): number {
  const key = source.readInt32LE(at);
  at += 4 + (key > 0 ? key : 0);
  const value = source.readInt32LE(at);
  at += 4 + (value > 0 ? value : 0);
  const headers = source.readUInt16LE(at);
  at += 2;
  for (let i = 0; i < headers; i++) {
    at += 2 + source.readUInt16LE(at);
    at += 4 + source.readUInt32LE(at);
  }
  if (at > source.length) throw new RangeError('a message goes beyond the end');
  return at;
}

/** The message at `at`; key, value and headers are views. */
export function readMessage(source: Buffer, at: number): Required<Omit<OutgoingMessage, 'timestamp'>> {
  const keyLength = source.readInt32LE(at);
  const valueAt = at + 4 + Math.max(keyLength, 0);
  const valueLength = source.readInt32LE(valueAt);
  const headersAt = valueAt + 4 + Math.max(valueLength, 0);
  return {
    key: keyLength < 0 ? null : source.subarray(at + 4, valueAt),
    value: valueLength < 0 ? null : source.subarray(valueAt + 4, headersAt),
    headers: readHeaders(source, headersAt),
  };
}

function readHeaders(source: Buffer, at: number): (readonly [string, Uint8Array])[] {
  const headers: (readonly [string, Uint8Array])[] = [];
  const count = source.readUInt16LE(at);
  at += 2;
  for (let i = 0; i < count; i++) {
    const nameEnd = at + 2 + source.readUInt16LE(at);
    const end = nameEnd + 4 + source.readUInt32LE(nameEnd);
    headers.push([source.toString('utf8', at + 2, nameEnd), source.subarray(nameEnd + 4, end)]);
    at = end;
  }
  return headers;
}
