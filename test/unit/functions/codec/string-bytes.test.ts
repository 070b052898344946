import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bytes } from '../../../../functions/codec/bytes.ts';
import { string } from '../../../../functions/codec/string.ts';

describe('string()', () => {
  test('gives back any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (given) => expect(string().decode(string().encode(given))).toBe(given)));
  });

  test('refuses bytes that are no UTF-8', () => {
    for (const given of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0x61, 0x80]]) {
      expect(() => string().decode(new Uint8Array(given))).toThrow(expect.objectContaining({ code: 'MILLRACE_DECODE_FAILED' }));
    }
  });

  test('encodes nothing else', () => {
    expect(() => string().encode(5 as never)).toThrow(expect.objectContaining({ code: 'MILLRACE_VALUE_NOT_ENCODABLE' }));
  });
});

describe('bytes()', () => {
  test('gives back the bytes, in memory of their own', () => {
    const given = Buffer.from([1, 2, 3]);
    const encoded = bytes().encode(given);
    const decoded = bytes().decode(given);
    given.fill(0);

    expect(encoded).toStrictEqual(new Uint8Array([1, 2, 3]));
    expect(decoded).toStrictEqual(new Uint8Array([1, 2, 3]));
  });

  test('encodes nothing else', () => {
    for (const given of ['text', [1], new Uint16Array(1), null]) {
      expect(() => bytes().encode(given as never)).toThrow(expect.objectContaining({ code: 'MILLRACE_VALUE_NOT_ENCODABLE' }));
    }
  });
});
