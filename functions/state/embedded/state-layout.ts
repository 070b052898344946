import { BodyReader, BodyWriter, damaged, textBytes } from '../../shared/embedded-wire.ts';
import type { StateNode, StateOp } from '../state-backend.ts';

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

/** The operations, their data copied: they outlive the message. @throws MILLRACE_CONNECTION_LOST */
export function decodeStateOps(body: Buffer): StateOp[] {
  return new BodyReader(body).list(decodeStateOp);
}

/** The reply to a read. @throws MILLRACE_CONNECTION_LOST */
export function decodeNode(body: Buffer): StateNode | undefined {
  const reader = new BodyReader(body);
  if (reader.u8() === 0) return undefined;
  const version = reader.u32();
  const created = reader.text();
  // A copy: the view would keep the whole chunk of the socket alive as long as the state is cached.
  return { version, created, data: new Uint8Array(reader.rest()) };
}

/** The reply to a list. @throws MILLRACE_CONNECTION_LOST */
export function decodeNames(body: Buffer): string[] {
  return new BodyReader(body).list((reader) => reader.text());
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
  throw damaged('an operation of no known kind');
}
