import { describe, expect, test } from '@jest/globals';
import { areAllIdle, minimumWatermark, roundWatermark } from '../../../../functions/time/watermark.ts';

const NONE: ReadonlySet<string> = new Set();

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
  expect(minimumWatermark(new Map([['a', 5]]), NONE, 2)).toBe(-Infinity);
  expect(
    minimumWatermark(
      new Map([
        ['a', 5],
        ['b', 3],
      ]),
      NONE,
      2,
    ),
  ).toBe(3);
  expect(minimumWatermark(new Map(), NONE, 0)).toBe(-Infinity);
});

describe('idle upstream tasks', () => {
  const heard = new Map([
    ['a', 5],
    ['b', 3],
    ['c', Infinity],
  ]);

  test.each([
    [['b'], 5],
    [['d'], 3],
    [['b', 'd'], 5],
  ])('%j do not count, though they are known', (idle, watermark) => {
    expect(minimumWatermark(heard, new Set(idle), idle.includes('d') ? 4 : 3)).toBe(watermark);
    expect(areAllIdle(heard, new Set(idle), 3)).toBe(false);
  });

  test('say nothing where the others have ended, or there are none; then all are idle', () => {
    expect(minimumWatermark(heard, new Set(['a', 'b']), 3)).toBe(-Infinity);
    expect(minimumWatermark(new Map(), new Set(['a', 'b']), 2)).toBe(-Infinity);
    expect(areAllIdle(heard, new Set(['a', 'b']), 3)).toBe(true);
    expect(areAllIdle(new Map(), new Set(['a', 'b']), 2)).toBe(true);
    expect(areAllIdle(new Map(), new Set(['a', 'b']), 3)).toBe(false);
    expect(areAllIdle(new Map([['a', Infinity]]), NONE, 1)).toBe(false);
  });
});
