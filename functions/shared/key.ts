import { types } from 'node:util';
import { MillraceError } from './errors.ts';

/** What `keyBy` may return: a string, a finite number, bytes, or a tuple of these. */
export type Key = string | number | Uint8Array | readonly (string | number | Uint8Array)[];

type Scalar = string | number | Uint8Array;

/**
 * Narrows what a key selector returned; −0 becomes 0. Bytes and tuples are copied, so that user code which goes on using its array
 * changes no key.
 *
 * @throws MILLRACE_KEY_TYPE for anything that is no key.
 */
export function parseKey(value: unknown): Key {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value + 0;
  if (types.isUint8Array(value)) return new Uint8Array(value);
  if (Array.isArray(value)) return Array.from(value as unknown[], parseItem); // not map, which skips holes
  throw keyTypeError(describe(value));
}

/**
 * The bytes that the distribution hashes take, part of the public contract: a string's UTF-8, a number's JSON, bytes as they are, a tuple
 * as a JSON array with bytes as base64 strings. Keys of different types can share bytes (1 and '1' meet in one task); `stateKey` keeps
 * them apart.
 */
export function keyBytes(key: Key): Uint8Array {
  return isBytes(key) ? key : Buffer.from(keyText(key));
}

/** The string whose UTF-8 is `keyBytes`, for keys other than bytes. */
export function keyText(key: Exclude<Key, Uint8Array>): string {
  if (typeof key === 'string') return key;
  if (typeof key === 'number') return String(key);
  return JSON.stringify(key.map((item) => (isBytes(item) ? base64(item) : item)));
}

/** Whether a value that was decoded is a key. */
export function isKey(value: unknown): value is Key {
  return isScalar(value) || (Array.isArray(value) && value.every(isScalar));
}

function isScalar(value: unknown): value is Scalar {
  return typeof value === 'string' || Number.isFinite(value) || types.isUint8Array(value);
}

/** Whether the key is bytes, of whichever realm. */
export function isBytes(key: Key): key is Uint8Array {
  return typeof key === 'object' && ArrayBuffer.isView(key);
}

/**
 * One string for each key, the same for equal keys only: a letter for the type, then its text. `s` string, `n` number, `b` bytes in base64,
 * `t` tuple as JSON, in which bytes are an array of one base64 string.
 */
export function stateKey(key: Key): string {
  if (typeof key === 'string') return 's' + key;
  if (typeof key === 'number') return 'n' + String(key);
  if (isBytes(key)) return 'b' + base64(key);
  return 't' + JSON.stringify(key.map((item) => (isBytes(item) ? [base64(item)] : item)));
}

/**
 * Inverse of `stateKey`.
 *
 * @throws MILLRACE_STATE_CORRUPT for a text that `stateKey` does not give: it comes from a store.
 */
export function fromStateKey(text: string): Key {
  const rest = text.slice(1);
  switch (text[0]) {
    case 's':
      return rest;
    case 'n':
      if (Number.isFinite(Number(rest || NaN))) return Number(rest);
      break;
    case 'b':
      return fromBase64(rest);
    case 't':
      return fromTupleText(text, rest);
    default:
  }
  throw noStateKey(text);
}

function fromTupleText(text: string, json: string): Key {
  let items: unknown;
  try {
    items = JSON.parse(json);
  } catch {
    throw noStateKey(text);
  }
  if (!Array.isArray(items)) throw noStateKey(text);
  return items.map((item: unknown) => {
    if (typeof item === 'string' || Number.isFinite(item)) return item as Scalar;
    if (Array.isArray(item) && typeof item[0] === 'string') return fromBase64(item[0]);
    throw noStateKey(text);
  });
}

function parseItem(item: unknown, index: number): Scalar {
  if (typeof item === 'string') return item;
  if (typeof item === 'number' && Number.isFinite(item)) return item + 0;
  if (types.isUint8Array(item)) return new Uint8Array(item);
  throw keyTypeError(`a tuple whose item ${index} is ${describe(item)}`);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

function describe(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function keyTypeError(given: string): MillraceError {
  return new MillraceError(
    'MILLRACE_KEY_TYPE',
    `the key is ${given}; a key is a string, a finite number, a Uint8Array, or an array of these. ` +
      'Return such a value from the key selector, for example an id of the record or [region, id].',
  );
}

function noStateKey(text: string): MillraceError {
  return new MillraceError('MILLRACE_STATE_CORRUPT', `the state holds an entry under '${text.slice(0, 80)}', which is the text of no key`);
}
