import { BodyReader, BodyWriter, textBytes } from '../../shared/embedded-wire.ts';
import type { StateOp } from '../state-backend.ts';

const KINDS = ['create', 'set', 'check', 'delete'] as const;
const NO_DATA = new Uint8Array();

/** A multi on the wire: u32 count; per operation u8 kind, path, u32 version, data. */
export function encodeStateOps(ops: readonly StateOp[]): Buffer {
  let bytes = 4;
  for (const op of ops) bytes += 9 + textBytes(op.path) + ('data' in op ? op.data.length : 0);
  const body = new BodyWriter(bytes).u32(ops.length);
  for (const op of ops)
    body
      .u8(KINDS.indexOf(op.op))
      .text(op.path)
      .u32('version' in op ? op.version : 0)
      .bytes('data' in op ? op.data : NO_DATA);
  return body.buffer;
}

/** The operations, their data copied: they outlive the message. @throws RangeError */
export function decodeStateOps(body: Buffer): StateOp[] {
  const reader = new BodyReader(body);
  return Array.from({ length: reader.u32() }, () => decodeStateOp(reader));
}

function decodeStateOp(reader: BodyReader): StateOp {
  const op = KINDS[reader.u8()];
  const path = reader.text();
  const version = reader.u32();
  const data = reader.bytes();
  if (op === 'create') return { op, path, data: new Uint8Array(data) };
  if (op === 'set') return { op, path, version, data: new Uint8Array(data) };
  if (op === 'check') return { op, path, version };
  if (op === 'delete') return { op, path };
  throw new RangeError('an operation of no known kind');
}
