import { expect, test } from '@jest/globals';
import { ManualClock } from '../../../../local/testing.ts';

test('stands still until it is moved', () => {
  const clock = new ManualClock(1000);

  const before = [clock.now(), clock.now()];
  clock.advance(500);

  expect([...before, clock.now()]).toEqual([1000, 1000, 1500]);
});

test('starts at a date, or at the beginning of 2026', () => {
  expect(new ManualClock(new Date(5)).now()).toBe(5);
  expect(new ManualClock().now()).toBe(Date.UTC(2026, 0, 1));
});

test('is moved by a sleep, which ends at once', async () => {
  const clock = new ManualClock(0);

  await clock.sleep(60_000);

  expect(clock.now()).toBe(60_000);
});

test.each([-1, NaN])('does not go back: advance(%p)', (ms) => {
  expect(() => new ManualClock().advance(ms)).toThrow(RangeError);
});

test('draws the same numbers in [0, 1) each time', () => {
  const draw = (): number[] => {
    const clock = new ManualClock();
    return Array.from({ length: 100 }, () => clock.random());
  };

  const numbers = draw();
  expect(draw()).toEqual(numbers);
  expect(new Set(numbers).size).toBe(100);
  expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
});
