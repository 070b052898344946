import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { crc32c, crc32cOfText, murmur3_32, murmur3_32OfText } from '../../../../functions/shared/hash.ts';

/** Bit by bit, straight from the polynomial. */
function crc32cByBits(bytes: Uint8Array): number {
  let crc = 0xffffffffn;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1n) ^ ((crc & 1n) * 0x82f63b78n);
  }
  return Number(crc ^ 0xffffffffn);
}

/** Austin Appleby's description in big integers, so that no 32-bit trick is shared with the code under test. */
function murmurByBigInts(bytes: Uint8Array, seed: number): number {
  const mask = 0xffffffffn;
  const rotate = (value: bigint, by: bigint): bigint => ((value << by) | (value >> (32n - by))) & mask;
  const scramble = (block: bigint): bigint => (rotate((block * 0xcc9e2d51n) & mask, 15n) * 0x1b873593n) & mask;
  let hash = BigInt(seed);
  for (let i = 0; i < bytes.length; i += 4) {
    const block = [...bytes.slice(i, i + 4)].reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
    hash ^= scramble(block);
    if (i + 4 <= bytes.length) hash = (rotate(hash, 13n) * 5n + 0xe6546b64n) & mask;
  }
  hash ^= BigInt(bytes.length);
  hash = ((hash ^ (hash >> 16n)) * 0x85ebca6bn) & mask;
  hash = ((hash ^ (hash >> 13n)) * 0xc2b2ae35n) & mask;
  return Number(hash ^ (hash >> 16n));
}

const text = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: 'binary', maxLength: 40 }));

describe('murmur3_32', () => {
  test.each([
    ['', 0, 0x00000000],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['test', 0, 0xba6bd213],
    ['test', 0x9747b28c, 0x704b81dc],
    ['Hello, world!', 0, 0xc0363e43],
    ['Hello, world!', 0x9747b28c, 0x24884cba],
    ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
  ])('gives the published hash of %j with seed %i', (input, seed, expected) => {
    expect(murmur3_32(Buffer.from(input), seed)).toBe(expected);
    expect(murmur3_32OfText(input, seed)).toBe(expected);
  });

  test('gives what the reference gives for any bytes and seed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 0, max: 0xffffffff }), (bytes, seed) => {
        expect(murmur3_32(bytes, seed)).toBe(murmurByBigInts(bytes, seed));
      }),
    );
  });

  test('of a text is that of its UTF-8', () => {
    fc.assert(fc.property(text, (input) => expect(murmur3_32OfText(input, 7)).toBe(murmur3_32(new TextEncoder().encode(input), 7))));
  });
});

describe('crc32c', () => {
  test.each([
    [Buffer.from('123456789'), 0xe3069283],
    [Buffer.alloc(32), 0x8a9136aa],
    [Buffer.alloc(32, 0xff), 0x62a8ab43],
    [Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
    [Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c],
    [Buffer.alloc(0), 0],
  ])('gives the published checksum (RFC 3720, B.4)', (bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });

  test('gives what the reference gives for any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => expect(crc32c(bytes)).toBe(crc32cByBits(bytes))));
  });

  test('goes on from the checksum of what comes before', () => {
    fc.assert(fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => expect(crc32c(b, crc32c(a))).toBe(crc32c(Buffer.concat([a, b])))));
  });

  test('of a text is that of its UTF-8', () => {
    fc.assert(fc.property(text, (input) => expect(crc32cOfText(input)).toBe(crc32c(new TextEncoder().encode(input)))));
  });
});
