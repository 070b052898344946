import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { alignedWindows, windowStart } from '../../../../../functions/time/windows/aligned-windows.ts';

const span = fc.integer({ min: 1, max: 40 });

/** All windows that hold a timestamp, by trying every start. */
function bruteForce(timestamp: number, size: number, slide: number, offset: number): (readonly [number, number])[] {
  const found: (readonly [number, number])[] = [];
  for (let start = timestamp - size + 1; start <= timestamp; start++) {
    if ((start - offset) % slide === 0) found.unshift([start, start + size]);
  }
  return found;
}

test('a timestamp is in the windows that a search finds, whatever was asked before', () => {
  fc.assert(
    fc.property(
      span,
      span,
      fc.integer({ min: -39, max: 39 }),
      fc.array(fc.integer({ min: -100, max: 100 })),
      (size, slide, shift, times) => {
        const offset = shift % slide;
        const windowsOf = alignedWindows(size, slide, offset);

        for (const time of times) {
          const windows = windowsOf(time);
          expect(windows.map(({ start, end }) => [start, end])).toEqual(bruteForce(time, size, slide, offset));
          for (const { start, end, maxTimestamp, text, window } of windows)
            expect([maxTimestamp, text, window]).toEqual([end - 1, `t[${start},${end}]`, { start, end }]);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('starts are exact where times are large and fractions of a ms', () => {
  expect(windowStart(1_700_000_000_123.75, 10_000, 0)).toBe(1_700_000_000_000);
  expect(windowStart(Number.MAX_SAFE_INTEGER, 10, 1)).toBe(9_007_199_254_740_991);
  expect(windowStart(-1, 10, 0)).toBe(-10);
});
