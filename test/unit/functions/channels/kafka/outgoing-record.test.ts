import { expect, test } from '@jest/globals';
import { toRecord } from '../../../../../functions/channels/kafka/outgoing-record.ts';

test('gives buffers over the same bytes, and null for a tombstone', () => {
  const bytes = Uint8Array.of(9, 1, 2, 9).subarray(1, 3);
  const record = toRecord({ key: bytes, value: null });

  expect(record).toEqual({ key: Buffer.of(1, 2), value: null });
  expect(record.key?.buffer).toBe(bytes.buffer);
});

test('keeps headers by name, those of one name in order', () => {
  const headers = [
    ['b', Uint8Array.of(1)],
    ['__proto__', Uint8Array.of(2)],
    ['b', Uint8Array.of(3)],
  ] as const;

  expect(Object.entries(toRecord({ key: null, value: null, headers }).headers ?? {})).toEqual([
    ['b', [Buffer.of(1), Buffer.of(3)]],
    ['__proto__', [Buffer.of(2)]],
  ]);
});
