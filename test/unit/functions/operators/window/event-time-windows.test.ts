import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  EventTimeSessionWindows,
  SlidingEventTimeWindows,
  TumblingEventTimeWindows,
  type WindowedStream,
  type TimeWindow,
} from '../../../../../functions/index.ts';
import { aligned, type Assign, eventTimeWindows, multiset, sessions } from './oracle.ts';
import { type Fired, fired, lateTag, type Reading, runWindows, type Streams, withLate } from './run-windows.ts';

const RUNS = { numRuns: 25 };

const reading = fc.record({ key: fc.constantFrom('a', 'b'), at: fc.integer({ min: 0, max: 60 }), value: fc.integer({ min: 0, max: 9 }) });
const readings = fc.array(reading, { minLength: 1, maxLength: 25 });

type Windows = WindowedStream<Reading, string, TimeWindow>;

const shapes: Record<string, { readonly open: (streams: Streams) => Windows; readonly assign: Assign }> = {
  tumbling: { open: ({ keyed }) => keyed.window(TumblingEventTimeWindows.of(10)), assign: aligned(10) },
  'tumbling with an offset': { open: ({ keyed }) => keyed.window(TumblingEventTimeWindows.of(10, -3)), assign: aligned(10, 10, -3) },
  sliding: { open: ({ keyed }) => keyed.window(SlidingEventTimeWindows.of(20, 5)), assign: aligned(20, 5) },
  'sliding by no part of the size': { open: ({ keyed }) => keyed.window(SlidingEventTimeWindows.of(10, 4, 1)), assign: aligned(10, 4, 1) },
};

for (const [name, { open, assign }] of Object.entries(shapes)) {
  test(`${name}: every window fires with its elements, late ones go aside`, async () => {
    await fc.assert(
      fc.asyncProperty(readings, fc.integer({ min: 0, max: 15 }), fc.constantFrom(0, 7, 20), async (input, outOfOrdernessMs, lateness) => {
        const expected = eventTimeWindows(input, assign, outOfOrdernessMs, lateness);

        const run = await runWindows(
          input,
          (streams) => withLate(open(streams).allowedLateness(lateness).sideOutputLateData(lateTag).apply(fired).uid('w')),
          { outOfOrdernessMs },
        );

        expect(run.results).toEqual(expected.results);
        expect(run.late).toEqual(expected.late);
        expect(run.lateRecords).toBe(0);
      }),
      RUNS,
    );
  });
}

test('without a side output late records are counted', async () => {
  await fc.assert(
    fc.asyncProperty(readings, async (input) => {
      const expected = eventTimeWindows(input, aligned(10));

      const run = await runWindows(input, ({ keyed }) => keyed.window(10).apply(fired).uid('w'));

      expect(run.lateRecords).toBe(expected.late.length);
      expect(run.results).toEqual(expected.results);
    }),
    RUNS,
  );
});

test('sessions merge in whatever order their elements come', async () => {
  await fc.assert(
    fc.asyncProperty(readings, fc.boolean(), async (input, isDynamic) => {
      const gapOf = ({ value }: Reading): number => (isDynamic ? value + 1 : 5);
      const assigner = isDynamic ? EventTimeSessionWindows.withDynamicGap(gapOf) : EventTimeSessionWindows.withGap(5);

      const run = await runWindows(input, ({ keyed }) => keyed.window(assigner).apply(fired).uid('w'), { outOfOrdernessMs: 100 });

      expect(multiset(run.results)).toEqual(multiset(sessions(input, gapOf)));
    }),
    RUNS,
  );
});

const sumOf = ({ values }: Fired): number => values.reduce((sum, value) => sum + value, 0);

test('folds give what the elements give', async () => {
  await fc.assert(
    fc.asyncProperty(readings, fc.constantFrom(0, 12), async (input, lateness) => {
      const { results } = eventTimeWindows(input, aligned(20), 3, lateness);
      const run = async (build: (windows: Windows) => ReturnType<Windows['apply']>): Promise<readonly unknown[]> =>
        (
          await runWindows(input, ({ keyed }) => build(keyed.window(TumblingEventTimeWindows.of(20)).allowedLateness(lateness)), {
            outOfOrdernessMs: 3,
          })
        ).results;

      const counts = await run((windows) => windows.count().uid('w'));
      const reduced = await run((windows) => windows.reduce((held, next) => ({ ...held, value: held.value + next.value })).uid('w'));
      const aggregated = await run((windows) =>
        windows
          .aggregate(
            {
              createAccumulator: () => ({ sum: 0, n: 0 }),
              add(held, { value }) {
                held.sum += value;
                held.n++;
                return held;
              },
              getResult: ({ sum, n }) => [sum, n],
            },
            (key, { start }, [result]) => [{ key, start, result }],
          )
          .uid('w'),
      );

      expect(counts).toEqual(results.map(({ key, start, end, values }) => ({ key, window: { start, end }, count: values.length })));
      expect(reduced).toMatchObject(results.map((window) => ({ key: window.key, value: sumOf(window) })));
      expect(aggregated).toEqual(
        results.map((window) => ({ key: window.key, start: window.start, result: [sumOf(window), window.values.length] })),
      );
    }),
    { numRuns: 10 },
  );
});

test('sum, min, max, minBy and maxBy are those of the window', async () => {
  const input: Reading[] = [3, 5, 1, 1, 8, 5].map((value, i) => ({ key: 'a', at: i, value }));
  const run = async (build: (windows: Windows) => ReturnType<Windows['sum']>): Promise<unknown> =>
    (await runWindows(input, ({ keyed }) => build(keyed.window(10)).uid('w'))).results[0];

  expect(await run((windows) => windows.sum('value'))).toEqual({ key: 'a', at: 0, value: 23 });
  expect(await run((windows) => windows.min('value'))).toEqual({ key: 'a', at: 0, value: 1 });
  expect(await run((windows) => windows.max('value'))).toEqual({ key: 'a', at: 0, value: 8 });
  expect(await run((windows) => windows.minBy('value'))).toEqual({ key: 'a', at: 2, value: 1 });
  expect(await run((windows) => windows.maxBy('value'))).toEqual({ key: 'a', at: 4, value: 8 });
});

test('a window of many elements keeps their order', async () => {
  const input: Reading[] = Array.from({ length: 200 }, (_, i) => ({ key: 'a', at: 0, value: i }));

  const { results } = await runWindows(input, ({ keyed }) => keyed.window(10).apply(fired).uid('w'), { batchSize: 7 });

  expect(results).toEqual([{ key: 'a', start: 0, end: 10, values: input.map(({ value }) => value) }]);
});

test('a session that many others merge into keeps all elements', async () => {
  const far: Reading[] = Array.from({ length: 40 }, (_, i) => ({ key: 'a', at: i * 10, value: i }));
  const near: Reading[] = Array.from({ length: 40 }, (_, i) => ({ key: 'a', at: i * 10 + 5, value: 100 + i }));

  const { results } = await runWindows(
    [...far, ...near],
    ({ keyed }) => keyed.window(EventTimeSessionWindows.withGap(6)).apply(fired).uid('w'),
    {
      outOfOrdernessMs: 1000,
      batchSize: 9,
    },
  );

  expect(multiset(results)).toEqual(multiset(sessions([...far, ...near], () => 6)));
  expect(results).toHaveLength(1);
});

test('results have the last ms of their window as timestamp, and the next windows take them', async () => {
  const input: Reading[] = [0, 4, 11, 19, 23].map((at) => ({ key: 'a', at, value: 1 }));

  const { results } = await runWindows(input, ({ keyed }) =>
    keyed
      .window(10)
      .count()
      .uid('inner')
      .windowAll(20)
      .process({
        *process(elements, ctx) {
          yield { window: ctx.window, counts: elements.map(({ count }) => count) };
        },
      })
      .uid('outer'),
  );

  expect(results).toEqual([
    { window: { start: 0, end: 20 }, counts: [2, 2] },
    { window: { start: 20, end: 40 }, counts: [1] },
  ]);
});

test('a record without a usable timestamp is a dead letter', async () => {
  const input: Reading[] = [
    { key: 'a', at: 5, value: 1 },
    { key: 'a', at: -5, value: 2 },
    { key: 'a', at: 6, value: 3 },
  ];

  const { results, errors } = await runWindows(input, ({ keyed }) => keyed.window(10).apply(fired).uid('w'), { outOfOrdernessMs: 50 });

  expect(errors).toEqual(['MILLRACE_TIMESTAMP_INVALID']);
  expect(results).toEqual([{ key: 'a', start: 0, end: 10, values: [1, 3] }]);
});
