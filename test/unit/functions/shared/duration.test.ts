import { describe, expect, test } from '@jest/globals';
import { type Duration, toMilliseconds } from '../../../../functions/shared/duration.ts';

describe('toMilliseconds', () => {
  test.each<[Duration, number]>([
    [0, 0],
    [250, 250],
    ['200 ms', 200],
    ['1 second', 1000],
    ['5 seconds', 5000],
    ['1.5 seconds', 1500],
    ['2 minutes', 120_000],
    ['1 hour', 3_600_000],
    ['3 days', 259_200_000],
  ])('reads %p as %d ms', (duration, ms) => {
    expect(toMilliseconds(duration)).toBe(ms);
  });

  test.each([-1, 0.5, NaN, Infinity, '5', '5s', 'five seconds', '5 weeks', '-5 seconds', '0.0001 ms', '', null, undefined])(
    'refuses %p and says what is allowed',
    (duration) => {
      expect(() => toMilliseconds(duration as Duration)).toThrow(
        expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID', message: expect.stringContaining("'5 seconds'") }),
      );
    },
  );
});
