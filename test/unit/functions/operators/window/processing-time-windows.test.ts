import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  ProcessingTimeSessionWindows,
  SlidingProcessingTimeWindows,
  type TimeWindow,
  TumblingProcessingTimeWindows,
  type WindowAssigner,
} from '../../../../../functions/index.ts';
import { aligned, multiset, sessions } from './oracle.ts';
import { appended, runAppended, tick } from './run-triggers.ts';
import { type Fired, fired, type Reading } from './run-windows.ts';

const END = 1000;
const step = fc.record({ wait: fc.integer({ min: 0, max: 12 }), key: fc.constantFrom('a', 'b'), value: fc.integer({ min: 0, max: 9 }) });

/** All that was appended by a certain time, by its window; event times go the other way, and must not matter. */
function appendedSteps(
  steps: readonly { readonly wait: number; readonly key: string; readonly value: number }[],
): ReturnType<typeof appended>[] {
  let now = 100;
  return steps.map(({ wait, key, value }) => appended((now += wait), key, value, 500 - now));
}

async function run(assigner: WindowAssigner<unknown, TimeWindow>, records: ReturnType<typeof appended>[]): Promise<readonly unknown[]> {
  return (await runAppended([...records, tick(END)], (keyed) => keyed.window(assigner).apply(fired).uid('w'))).results;
}

function grouped(records: ReturnType<typeof appended>[], size: number, slide: number): Fired[] {
  const found: Fired[] = [];
  for (const { now, key, value } of records) {
    for (const [start, end] of aligned(size, slide)(now)) {
      const held = found.find((one) => one.key === key && one.start === start);
      if (held) (held.values as number[]).push(value);
      else found.push({ key, start, end, values: [value] });
    }
  }
  return found;
}

test('windows are those of the log append time', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async (steps) => {
      const records = appendedSteps(steps);

      expect(multiset(await run(TumblingProcessingTimeWindows.of(20), records))).toEqual(multiset(grouped(records, 20, 20)));
      expect(multiset(await run(SlidingProcessingTimeWindows.of(20, 5), records))).toEqual(multiset(grouped(records, 20, 5)));
    }),
    { numRuns: 20 },
  );
});

test('sessions end with a gap in the log', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async (steps) => {
      const records = appendedSteps(steps);
      const readings: Reading[] = records.map(({ now, key, value }) => ({ key, value, at: now }));

      const results = await run(ProcessingTimeSessionWindows.withGap(5), records);

      // Before a record comes in the very ms after a session's last one, the session has fired: it merges with what comes before that.
      const expected = sessions(readings, () => 4).map((session) => ({ ...session, end: session.end + 1 }));
      expect(multiset(results)).toEqual(multiset(expected));
    }),
    { numRuns: 20 },
  );
});

test('counts of overlapping windows are those of separate ones', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async (steps) => {
      const records = appendedSteps(steps);

      const { results } = await runAppended([...records, tick(END)], (keyed) =>
        keyed.window(SlidingProcessingTimeWindows.of(20, 5)).count().uid('w'),
      );

      const expected = grouped(records, 20, 5).map(({ key, start, end, values }) => ({
        key,
        window: { start, end },
        count: values.length,
      }));
      expect(multiset(results)).toEqual(multiset(expected));
    }),
    { numRuns: 20 },
  );
});
