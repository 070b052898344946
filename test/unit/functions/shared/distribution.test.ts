import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fragmentOf, keyGroupOf, taskOf } from '../../../../functions/shared/distribution.ts';
import { crc32c, murmur3_32 } from '../../../../functions/shared/hash.ts';
import { type Key, keyBytes } from '../../../../functions/shared/key.ts';

const key: fc.Arbitrary<Key> = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.uint8Array(),
  fc.array(fc.oneof(fc.string(), fc.integer(), fc.uint8Array())),
);
const count = fc.integer({ min: 1, max: 4096 });

describe('distribution', () => {
  // Part of the public contract: a change of any of these moves keys away from their state. From an implementation in Python.
  test.each<[Key, number, number, number]>([
    ['', 0, 0, 0],
    ['test', 19, 3, 0],
    ['JFK', 104, 0, 10],
    ['zürich', 9, 1, 5],
    [0, 127, 3, 0],
    [42, 54, 2, 11],
    [-1.5, 7, 3, 4],
    [new Uint8Array([1, 2, 3]), 4, 0, 14],
    [['EU', 7], 74, 2, 1],
  ])('of %j: key group %i, task %i, fragment %i', (given, group, task, fragment) => {
    expect([keyGroupOf(given, 128), taskOf(given, 128, 4), fragmentOf(given, 128, 16)]).toEqual([group, task, fragment]);
  });

  test('follows the published formulas', () => {
    fc.assert(
      fc.property(key, count, count, (given, p, n) => {
        expect(keyGroupOf(given, p)).toBe(murmur3_32(keyBytes(given)) % p);
        expect(taskOf(given, p, n)).toBe((murmur3_32(keyBytes(given)) % p) % n);
        expect(fragmentOf(given, p, n)).toBe((crc32c(keyBytes(given)) % p) % n);
      }),
    );
  });
});
