import { crc32 } from 'node:zlib';
import { BodyReader, BodyWriter, textBytes } from '../functions/shared/embedded-wire.ts';
import { MillraceError } from '../functions/shared/errors.ts';
import type { StateNode } from '../functions/state/state-backend.ts';

/** What one multi left behind at a path; no node: it was deleted. */
export type Change = readonly [path: string, node: StateNode | undefined];

/** Length and checksum. */
const HEAD_BYTES = 8;

/** u32 length, u32 CRC-32, then u32 count and per change: path, u8 whether there is a node, u32 version, identity, data. */
export function encodeEntry(changes: readonly Change[]): Buffer {
  let bytes = HEAD_BYTES + 4;
  for (const [path, node] of changes) bytes += 1 + textBytes(path) + (node ? 8 + textBytes(node.created) + node.data.length : 0);
  const entry = new BodyWriter(bytes);
  entry.skip(HEAD_BYTES);
  entry.u32(changes.length);
  for (const [path, node] of changes) {
    entry.text(path).u8(node ? 1 : 0);
    if (node) entry.u32(node.version).text(node.created).bytes(node.data);
  }
  entry.buffer.writeUInt32LE(bytes - HEAD_BYTES, 0);
  entry.buffer.writeUInt32LE(crc32(entry.buffer.subarray(HEAD_BYTES)), 4);
  return entry.buffer;
}

/**
 * The entries of a file up to the first torn one, which was never acknowledged.
 *
 * @throws MILLRACE_DATA_INVALID for an entry whose checksum holds and that is none.
 */
export function* decodeEntries(file: Buffer): Generator<readonly Change[]> {
  let at = 0;
  while (at + HEAD_BYTES <= file.length) {
    const end = at + HEAD_BYTES + file.readUInt32LE(at);
    if (end > file.length || crc32(file.subarray(at + HEAD_BYTES, end)) !== file.readUInt32LE(at + 4)) return;
    yield decodeEntry(file.subarray(at + HEAD_BYTES, end), at);
    at = end;
  }
}

function decodeEntry(body: Buffer, at: number): Change[] {
  try {
    const reader = new BodyReader(body);
    const changes = reader.list(decodeChange);
    if (reader.rest().length === 0) return changes;
  } catch (cause) {
    throw noEntry(at, cause);
  }
  throw noEntry(at);
}

function decodeChange(reader: BodyReader): Change {
  const path = reader.text();
  if (reader.u8() === 0) return [path, undefined];
  const [version, created, data] = [reader.u32(), reader.text(), new Uint8Array(reader.bytes())];
  if (!path.startsWith('/') || !/^\d{1,15}$/.test(created)) throw new RangeError(`${path} is no node`);
  return [path, { version, created, data }];
}

function noEntry(at: number, cause?: unknown): MillraceError {
  return new MillraceError(
    'MILLRACE_DATA_INVALID',
    `the state store's file has an entry at byte ${at} that is none; start with another --data`,
    {
      cause,
    },
  );
}
