import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EventTimeTrigger, SlidingEventTimeWindows, type TimeWindow, type WindowedStream } from '../../../../../functions/index.ts';
import type { Reading } from './run-windows.ts';
import { WindowDriver } from './window-driver.ts';

type Windows = WindowedStream<Reading, string, TimeWindow>;

const shape = fc.record({
  size: fc.integer({ min: 1, max: 24 }),
  slide: fc.integer({ min: 1, max: 24 }),
  offset: fc.integer({ min: 0, max: 23 }),
  lateness: fc.constantFrom(0, 5, 40),
});

type Shape = typeof shape extends fc.Arbitrary<infer S> ? S : never;

/** A reading, or a watermark so many ms on. */
const step = fc.oneof(
  fc.record({ key: fc.constantFrom('a', 'b'), at: fc.integer({ min: 0, max: 99 }), value: fc.integer({ min: 0, max: 9 }) }),
  fc.integer({ min: 0, max: 15 }),
);

const folds: Record<string, (windows: Windows) => ReturnType<Windows['reduce']>> = {
  count: (windows) => windows.count(),
  aggregate: (windows) =>
    windows.aggregate(
      {
        createAccumulator: () => ({ n: 0, values: [] as number[] }),
        add(held, { value }) {
          held.n++;
          held.values.push(value);
          return held;
        },
        merge(left, right) {
          left.n += right.n;
          left.values.push(...right.values);
          return left;
        },
        getResult: ({ n, values }) => ({ n, values: values.sort((a, b) => a - b) }),
      },
      (key, window, [result]) => [{ key, window, result }],
    ),
};

/** An explicit trigger of the same kind gives each window contents of its own. */
function drivers({ size, slide, offset, lateness }: Shape, fold: (windows: Windows) => ReturnType<Windows['reduce']>): WindowDriver[] {
  const assigner = SlidingEventTimeWindows.of(size, slide, offset % slide);
  const shared = new WindowDriver((keyed) => fold(keyed.window(assigner).allowedLateness(lateness)));
  const separate = new WindowDriver((keyed) => fold(keyed.window(assigner).allowedLateness(lateness).trigger(EventTimeTrigger.create())));
  return [shared, separate];
}

for (const [name, fold] of Object.entries(folds)) {
  test(`panes give what separate windows give: ${name}`, () => {
    fc.assert(
      fc.property(shape, fc.array(step, { maxLength: 40 }), (windows, steps) => {
        const both = drivers(windows, fold);
        for (const driver of both) {
          let watermark = 0;
          for (const one of steps) {
            if (typeof one === 'number') driver.watermark((watermark += one));
            else driver.add(one);
          }
          driver.watermark(Infinity);
        }

        const [shared, separate] = both;
        expect(shared?.results).toEqual(separate?.results);
        expect(shared?.lateRecords).toBe(separate?.lateRecords);
        expect(shared?.entries()).toEqual({});
        expect(separate?.entries()).toEqual({});
      }),
      { numRuns: 500 },
    );
  });
}

test('a record in sixty windows is one addition, and a key has few timers', () => {
  const driver = new WindowDriver((keyed) => keyed.window(SlidingEventTimeWindows.of(60_000, 1000)).count());

  for (let i = 0; i < 1000; i++) driver.add({ key: 'a', at: 100_000 + (i % 1000), value: i });

  expect(driver.entries()).toEqual({ 'map:w/$window': 1, 'timers:w/event': 2 });
  driver.watermark(Infinity);
  expect(driver.results).toHaveLength(60);
  expect(driver.results.every(([value]) => (value as { count: number }).count === 1000)).toBe(true);
});
