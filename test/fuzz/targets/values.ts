import { bytes } from '../../../functions/codec/bytes.ts';
import { cloneValue } from '../../../functions/codec/clone.ts';
import { json } from '../../../functions/codec/json.ts';
import { string } from '../../../functions/codec/string.ts';
import { decodeValue, encodeValue } from '../../../functions/codec/value.ts';
import { bytesTarget, jsonTarget } from '../target.ts';

/** One of each kind that the encoding tells apart, alone and nested. */
export const VALUES: readonly unknown[] = [
  null,
  undefined,
  true,
  [0, 127, 128, 255, 256, 65535, -1, 2 ** 31, 1.5, NaN, -Infinity, -0],
  '',
  'text',
  'ü🚀',
  'half \ud83d',
  'x'.repeat(5000),
  { id: 1, name: 'a', nested: { list: [1, 2, { deep: true }] } },
  [
    { id: 1, name: 'a' },
    { id: 2, name: 'b' },
  ],
  new Map<unknown, unknown>([
    ['a', 1],
    [{ key: 1 }, new Map()],
  ]),
  new Set([1, 'b', new Date(5)]),
  new Date(1_700_000_000_000),
  new Uint8Array([1, 2, 3]),
  [2n ** 63n - 1n, -(2n ** 200n), 0n],
  Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`key${i}`, i])),
  JSON.parse('{"__proto__":1,"constructor":[2],"0":3}'),
];

const corpus = VALUES.map((value) => Buffer.from(encodeValue(value)));

/** A value that was decoded can be encoded, and is then decoded as the same bytes; and copied. */
export const VALUE = bytesTarget({
  name: 'single values',
  corpus,
  codes: ['MILLRACE_DECODE_FAILED'],
  parse: (input) => {
    const again = encodeValue(decodeValue(input));
    if (!Buffer.from(encodeValue(cloneValue(decodeValue(again)))).equals(again)) throw new Error('the value does not come back');
  },
});

const documents = VALUES.slice(3)
  .map((value) => JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? String(item) : item)))
  .map((text) => Buffer.from(text));

/** What a source reads goes on into a frame, or becomes a dead letter. */
export const JSON_RECORDS = jsonTarget({
  name: 'records in JSON',
  corpus: documents,
  codes: ['MILLRACE_DECODE_FAILED', 'MILLRACE_VALUE_NOT_ENCODABLE'],
  parse: (input) => {
    const value = json().decode(input);
    json().encode(value);
    encodeValue(cloneValue(value));
  },
});

export const TEXT_RECORDS = bytesTarget({
  name: 'records of text and bytes',
  corpus: ['text', 'ü🚀', 'x'.repeat(500)].map((text) => Buffer.from(text)),
  codes: ['MILLRACE_DECODE_FAILED'],
  parse: (input) => {
    if (!Buffer.from(bytes().decode(input)).equals(input)) throw new Error('bytes() changes bytes');
    const text = string().decode(input);
    if (!Buffer.from(string().encode(text)).equals(input) && !isByteOrderMark(input)) throw new Error('string() changes bytes silently');
  },
});

function isByteOrderMark(input: Buffer): boolean {
  return input.includes(Buffer.from([0xef, 0xbb, 0xbf]));
}
