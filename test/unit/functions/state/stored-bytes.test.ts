import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { encodeValue } from '../../../../functions/codec/value.ts';
import { fromStored, toStored } from '../../../../functions/state/stored-bytes.ts';

const counts = encodeValue(Array.from({ length: 1000 }, (_, i) => ({ key: `key-${i}`, count: i })));

describe('bytes of the store', () => {
  test('are smaller than the value, and give it back', () => {
    const stored = toStored(counts);

    expect(stored.length).toBeLessThan(counts.length / 2);
    expect(Buffer.from(fromStored(stored, 'a delta'))).toEqual(Buffer.from(counts));
  });

  test('are the value itself where it is small or would shrink little', () => {
    const small = encodeValue({ count: 1 });
    const digests = encodeValue(Array.from({ length: 200 }, (_, i) => createHash('sha256').update(`${i}`).digest('hex')));

    for (const bytes of [small, digests]) {
      expect(toStored(bytes)).toBe(bytes);
      expect(fromStored(bytes, 'a delta')).toBe(bytes);
    }
  });

  test('give back what deflates best', () => {
    const zeros = encodeValue(new Uint8Array(5_000_000));

    expect(Buffer.from(fromStored(toStored(zeros), 'a delta')).equals(Buffer.from(zeros))).toBe(true);
  });

  test('give back what is large and deflates by half', () => {
    const digits = Array.from({ length: 180_000 }, (_, i) => BigInt(`0x${createHash('sha256').update(`${i}`).digest('hex')}`).toString());
    const bytes = encodeValue(digits.join(''));

    const stored = toStored(bytes);

    expect(stored.length).toBeGreaterThan(2 ** 32 / 1032); // Node.js 20 takes no larger bound of an output than 4 GiB
    expect(Buffer.from(fromStored(stored, 'an image')).equals(Buffer.from(bytes))).toBe(true);
  });

  test.each([
    ['cut off', (stored: Buffer) => stored.subarray(0, stored.length - 9)],
    ['changed', (stored: Buffer) => Buffer.concat([stored.subarray(0, 200), Buffer.from([1, 2, 3]), stored.subarray(203)])],
    ['an end alone', () => Buffer.from([0x78])],
  ])('that are %s are MILLRACE_STATE_CORRUPT', (_what, damage) => {
    expect(() => fromStored(damage(Buffer.from(toStored(counts))), 'delta d-3')).toThrow(
      expect.objectContaining({ code: 'MILLRACE_STATE_CORRUPT', message: expect.stringContaining('delta d-3') }),
    );
  });
});
