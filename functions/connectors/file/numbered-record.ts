import type { Codec } from '../../codec/codec.ts';
import { isMillraceError, MillraceError } from '../../shared/errors.ts';

const SPACE = 0x20;
const ZERO = 0x30;
const NINE = 0x39;
const EXCLAMATION_MARK = 0x21;
const MAX_DIGITS = 15;

/** A record as it travels through its source's topic: its line, a space, and the record. */
export function numbered(line: number, record: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${line} `), record]);
}

/**
 * Takes the line from before the record, and names it where the record is refused. A record without a line, as a test gives it, is decoded as
 * it is: no JSON text begins with a number and a space before more.
 *
 * @param file - For messages.
 * @throws MILLRACE_DECODE_FAILED, MILLRACE_SCHEMA_MISMATCH
 */
export function numberedCodec<T>(file: string, codec: Codec<T>): Codec<T> {
  return {
    name: codec.name,
    encode: (value) => codec.encode(value),
    decode: (bytes) => {
      const digits = digitsOf(bytes);
      if (digits === 0) return codec.decode(bytes);
      const line = Buffer.from(bytes.subarray(0, digits)).toString('latin1');
      try {
        return decodeRecord(codec, bytes.subarray(digits + 1));
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        const code = isMillraceError(error, 'MILLRACE_SCHEMA_MISMATCH') ? error.code : 'MILLRACE_DECODE_FAILED';
        throw new MillraceError(code, `${file}, line ${line}: ${why}`, { cause: error });
      }
    },
  };
}

/** A record that was refused while it was cut out has the reason before it. */
function decodeRecord<T>(codec: Codec<T>, record: Uint8Array): T {
  if (record[0] !== EXCLAMATION_MARK) return codec.decode(record);
  const [reason = ''] = Buffer.from(record.subarray(1)).toString().split('\n', 1);
  throw new MillraceError('MILLRACE_DECODE_FAILED', reason);
}

/** Length of the line's number at the beginning, 0 if there is none. */
function digitsOf(bytes: Uint8Array): number {
  for (let at = 0; at <= MAX_DIGITS; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === SPACE && at > 0) return at;
    if (byte < ZERO || byte > NINE) return 0;
  }
  return 0;
}
