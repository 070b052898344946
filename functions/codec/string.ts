import { MillraceError } from '../shared/errors.ts';
import type { Codec } from './codec.ts';
import { decodeUtf8 } from './utf8.ts';

/** Text in UTF-8. @throws MILLRACE_DECODE_FAILED for bytes that are no UTF-8. */
export function string(): Codec<string> {
  return { name: 'string', encode: encodeText, decode: decodeUtf8 };
}

function encodeText(value: unknown): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value);
  throw new MillraceError(
    'MILLRACE_VALUE_NOT_ENCODABLE',
    `string() encodes strings, not a value of type ${typeof value}; map it to a string first.`,
  );
}
