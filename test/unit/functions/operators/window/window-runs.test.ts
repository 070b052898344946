/** Windows in whole pipelines: what cuts, faults and restarts must not change. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CountTrigger, EventTimeSessionWindows, SlidingEventTimeWindows, type DataStream } from '../../../../../functions/index.ts';
import type { Fault } from '../../../../../local/testing.ts';
import { aligned, eventTimeWindows, multiset, sessions } from './oracle.ts';
import { fired, type Reading, runWindows, type Streams, type WindowRun } from './run-windows.ts';

const reading = fc.record({
  key: fc.constantFrom('a', 'b', 'c', 'd'),
  at: fc.integer({ min: 0, max: 60 }),
  value: fc.integer({ min: 0, max: 9 }),
});
const readings = fc.array(reading, { minLength: 4, maxLength: 30 });

const builds: Record<string, (streams: Streams) => DataStream<unknown>> = {
  tumbling: ({ keyed }) => keyed.window(10).apply(fired).uid('w'),
  'sliding in panes': ({ keyed }) => keyed.window(SlidingEventTimeWindows.of(20, 5)).allowedLateness(10).count().uid('w'),
  sessions: ({ keyed }) => keyed.window(EventTimeSessionWindows.withGap(4)).apply(fired).uid('w'),
  'counted sessions': ({ keyed }) => keyed.window(EventTimeSessionWindows.withGap(4)).trigger(CountTrigger.of(2)).apply(fired).uid('w'),
  'by count': ({ keyed }) =>
    keyed
      .countWindow(3, 2)
      .apply((key, _window, elements) => [[key, ...elements.map(({ value }) => value)]])
      .uid('w'),
  'the whole stream': ({ all }) => all.windowAll(10).count().uid('w'),
};

const faults: readonly (readonly Fault[])[] = [
  [{ crash: 'before-publish', nth: 1 }],
  [{ crash: 'after-publish', nth: 1 }],
  [{ crash: 'after-commit', nth: 2 }],
  [
    { batch: 'recut', nth: 1 },
    { batch: 'duplicate', nth: 2 },
  ],
  [
    { lose: 'write', nth: 2 },
    { fail: 'read', nth: 2 },
  ],
];

const outcome = ({ results, lateRecords, errors }: WindowRun): unknown => ({ results, lateRecords, errors });

for (const [name, build] of Object.entries(builds)) {
  test(`${name}: cuts, crashes and copies change nothing`, async () => {
    await fc.assert(
      fc.asyncProperty(readings, fc.integer({ min: 1, max: 7 }), fc.constantFrom(...faults), async (input, batchSize, planned) => {
        const whole = await runWindows(input, build, { outOfOrdernessMs: 5 });
        // A sink that is at least once repeats what a crash behind the publish has cut off.
        const cut = await runWindows(input, build, { outOfOrdernessMs: 5, batchSize });
        const faulty = await runWindows(input, build, { outOfOrdernessMs: 5, batchSize: 2, faults: planned });

        expect(outcome(cut)).toEqual(outcome(whole));
        expect(new Set(multiset(faulty.results))).toEqual(new Set(multiset(whole.results)));
      }),
      { numRuns: 5 },
    );
  });
}

test('partitions and tasks in any number give the windows of the oracle', async () => {
  await fc.assert(
    fc.asyncProperty(readings, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), async (input, partitions, parallelism) => {
      // So far out of order that no interleaving makes a record late.
      const options = { outOfOrdernessMs: 100, partitions, parallelism, batchSize: 3 };

      const tumbling = await runWindows(input, builds['tumbling'] as never, options);
      const session = await runWindows(input, builds['sessions'] as never, options);

      expect(multiset(tumbling.results)).toEqual(multiset(eventTimeWindows(input, aligned(10), 100).results));
      expect(multiset(session.results)).toEqual(multiset(sessions(input, () => 4)));
    }),
    { numRuns: 10 },
  );
});

test('a window that was open when its environment ended fires with all its elements', async () => {
  const input: Reading[] = Array.from({ length: 12 }, (_, i) => ({ key: 'a', at: i, value: i }));

  const { results } = await runWindows(input, ({ keyed }) => keyed.window(6).apply(fired).uid('w'), {
    batchSize: 1,
    faults: [{ crash: 'after-commit', nth: 3 }],
  });

  expect(new Set(multiset(results))).toEqual(new Set(multiset(eventTimeWindows(input, aligned(6)).results)));
});
