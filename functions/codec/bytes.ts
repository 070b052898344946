import { types } from 'node:util';
import { MillraceError } from '../shared/errors.ts';
import type { Codec } from './codec.ts';

/** Bytes as they are, copied both ways: what user code does with its array changes neither an output nor a record that is run again. */
export function bytes(): Codec<Uint8Array> {
  return { name: 'bytes', encode: encodeBytes, decode: (value) => new Uint8Array(value) };
}

function encodeBytes(value: unknown): Uint8Array {
  if (types.isUint8Array(value)) return new Uint8Array(value);
  throw new MillraceError(
    'MILLRACE_VALUE_NOT_ENCODABLE',
    `bytes() encodes a Uint8Array, not a value of type ${typeof value}; map it to bytes first.`,
  );
}
