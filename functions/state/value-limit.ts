import { cloneValue } from '../codec/clone.ts';
import { encodeValue } from '../codec/value.ts';
import { MillraceError } from '../shared/errors.ts';

/** Largest encoding of one value in the state, in bytes: a store of small nodes should not hold more, and each change writes all of it. */
export const MAX_STATE_VALUE_BYTES = 4 * 1024 * 1024;

/**
 * A copy of `value` for the state. What is too large fails its record here (protocol section 5, A5): at the commit it would fail the
 * whole batch, again and again.
 *
 * @throws MILLRACE_VALUE_TOO_LARGE, MILLRACE_VALUE_NOT_ENCODABLE
 */
export function toStateValue(value: unknown): unknown {
  const copy = cloneValue(value);
  // Almost all values are far below the limit, and the bound costs a fraction of an encoding.
  if (upperBound(copy, MAX_STATE_VALUE_BYTES) <= MAX_STATE_VALUE_BYTES) return copy;
  const { length } = encodeValue(copy);
  if (length <= MAX_STATE_VALUE_BYTES) return copy;
  throw new MillraceError(
    'MILLRACE_VALUE_TOO_LARGE',
    `a value of ${length} bytes is too large for the state, which takes ${MAX_STATE_VALUE_BYTES} bytes a value: ` +
      'spread it over the entries of a map state or over more keys, or store it elsewhere and keep a reference',
  );
}

/** Type and length of any item: a bound of what the encoding puts before its bytes. */
const HEAD_BYTES = 10;

/** At least the bytes that the encoding of an encodable value takes; where that is over `limit`, some number over `limit`. */
function upperBound(value: unknown, limit: number): number {
  if (typeof value === 'string') return HEAD_BYTES + 3 * value.length; // UTF-8 of UTF-16
  if (typeof value === 'bigint') return HEAD_BYTES + value.toString(16).length;
  if (typeof value !== 'object' || value === null) return HEAD_BYTES;
  if (value instanceof Uint8Array) return HEAD_BYTES + value.length;
  if (value instanceof Map) return boundOfItems([...value.keys(), ...value.values()], limit);
  if (Array.isArray(value) || value instanceof Set) return boundOfItems(value, limit);
  let bytes = HEAD_BYTES;
  for (const key in value) {
    bytes += HEAD_BYTES + 3 * key.length + upperBound((value as Readonly<Record<string, unknown>>)[key], limit - bytes);
    if (bytes > limit) break;
  }
  return bytes;
}

function boundOfItems(items: Iterable<unknown>, limit: number): number {
  let bytes = HEAD_BYTES;
  for (const item of items) {
    bytes += upperBound(item, limit - bytes);
    if (bytes > limit) break;
  }
  return bytes;
}
