import { isUtf8 } from 'node:buffer';
import { MillraceError } from '../shared/errors.ts';

/**
 * Decodes UTF-8. Bytes that are no UTF-8 are an error: replaced by U+FFFD they would change the data silently.
 *
 * @throws MILLRACE_DECODE_FAILED
 */
export function decodeUtf8(bytes: Uint8Array): string {
  const buffer = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = buffer.toString();
  // The search is free where the text is Latin-1, as most is; only a hit needs the check.
  if (text.includes('\ufffd') && !isUtf8(buffer)) throw notUtf8(bytes.length);
  return text;
}

function notUtf8(length: number): MillraceError {
  return new MillraceError(
    'MILLRACE_DECODE_FAILED',
    `the record's ${length} bytes are not UTF-8; read the topic with bytes(), or have its producer write UTF-8.`,
  );
}
