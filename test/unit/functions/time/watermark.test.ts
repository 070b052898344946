import { expect, test } from '@jest/globals';
import { minimumWatermark, roundWatermark } from '../../../../functions/time/watermark.ts';

test.each([
  [1234, 200, 1200],
  [1200, 200, 1200],
  [-1, 200, -200],
  [Infinity, 200, Infinity],
  [-Infinity, 200, -Infinity],
])('rounds %d down to a multiple of %d: %d', (watermark, interval, rounded) => {
  expect(roundWatermark(watermark, interval)).toBe(rounded);
});

test('is the minimum over all expected tasks, and −∞ until all have been heard of', () => {
  expect(minimumWatermark(new Map([['a', 5]]), 2)).toBe(-Infinity);
  expect(
    minimumWatermark(
      new Map([
        ['a', 5],
        ['b', 3],
      ]),
      2,
    ),
  ).toBe(3);
  expect(minimumWatermark(new Map(), 0)).toBe(-Infinity);
});
