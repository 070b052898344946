import { expect, test } from '@jest/globals';
import {
  GlobalWindows,
  json,
  kafka,
  listState,
  mapState,
  outputTag,
  CountTrigger,
  SlidingEventTimeWindows,
  TumblingEventTimeWindows,
  Types,
  valueState,
} from '../../../../../functions/index.ts';
import { type Reading, runWindows } from './run-windows.ts';

const input: Reading[] = [
  { key: 'a', at: 1, value: 1 },
  { key: 'b', at: 2, value: 2 },
  { key: 'a', at: 3, value: 3 },
  { key: 'a', at: 11, value: 4 },
  { key: 'b', at: 25, value: 5 },
];

test('state of a key goes on from window to window, state of a window does not', async () => {
  const { results } = await runWindows(input, ({ keyed }) =>
    keyed
      .window(TumblingEventTimeWindows.of(10))
      .trigger(CountTrigger.of(1))
      .process({
        globalState: { all: valueState('seen', { default: 0 }) },
        windowState: {
          here: valueState('seen', { default: 0 }),
          values: listState('values', Types.number),
          times: mapState('times', Types.string, Types.number),
        },
        *process(key, elements, ctx) {
          const { all } = ctx.globalState;
          const { here, values, times } = ctx.windowState;
          const last = elements.at(-1);
          all.update(all.value() + 1);
          here.update(here.value() + 1);
          values.add(last?.value ?? 0);
          times.put(`t${last?.at ?? 0}`, last?.at ?? 0);
          yield [key, ctx.window.start, all.value(), here.value(), values.get(), times.entries(), times.has('t1')];
        },
      })
      .uid('w'),
  );

  expect(results).toEqual([
    ['a', 0, 1, 1, [1], [['t1', 1]], true],
    ['b', 0, 1, 1, [2], [['t2', 2]], false],
    [
      'a',
      0,
      2,
      2,
      [1, 3],
      [
        ['t1', 1],
        ['t3', 3],
      ],
      true,
    ],
    ['a', 10, 3, 1, [4], [['t11', 11]], false],
    ['b', 20, 2, 1, [5], [['t25', 25]], false],
  ]);
});

test('the context has time, randomness that is the same in each attempt, and side outputs', async () => {
  const large = outputTag('large', Types.json<number>());
  const run = () =>
    runWindows(input, ({ keyed }) => {
      const windows = keyed
        .window(10)
        .process({
          *process(_key, elements, ctx) {
            for (const { value } of elements) if (value > 3) ctx.output(large, value);
            yield {
              watermark: ctx.currentWatermark(),
              random: ctx.random(),
              id: ctx.uuid(),
              now: Number.isFinite(ctx.currentProcessingTime()),
            };
          },
        })
        .uid('w');
      windows.getSideOutput(large).sinkTo(kafka.sink({ topic: 'late', value: json() }));
      return windows;
    });

  const { results, late } = await run();

  expect(late).toEqual([4, 5]);
  // JSON has no infinity: the last window fires at the end of the input.
  expect(results.map((result) => (result as { watermark: number | null }).watermark)).toEqual([10, 10, 24, null]);
  expect(results).toMatchObject([{ now: true }, { now: true }, { now: true }, {}]);
  expect((await run()).results).toEqual(results);
});

test('a fold hands its one result to a window function', async () => {
  const { results } = await runWindows(input, ({ all }) =>
    all
      .windowAll(SlidingEventTimeWindows.of(20, 10))
      .reduce(
        (held, next) => ({ ...held, value: held.value + next.value }),
        ({ start, end }, [sum]) => [[start, end, sum?.value]],
      )
      .uid('w'),
  );

  expect(results).toEqual([
    [-10, 10, 6],
    [0, 20, 10],
    [10, 30, 9],
    [20, 40, 5],
  ]);
});

test('what a window function does to its elements changes no state', async () => {
  const { results } = await runWindows(input, ({ keyed }) =>
    keyed
      .window(GlobalWindows.create())
      .trigger(CountTrigger.of(1))
      .apply((_key, _window, elements) => {
        const sum = elements.reduce((total, { value }) => total + value, 0);
        for (const element of elements) (element as { value: number }).value = 1000;
        return [sum];
      })
      .uid('w'),
  );

  expect(results).toEqual([1, 2, 4, 8, 7]);
});

test('a record that makes a window function throw leaves nothing in the window', async () => {
  const { results, errors } = await runWindows(input, ({ keyed }) =>
    keyed
      .window(GlobalWindows.create())
      .trigger(CountTrigger.of(1))
      .apply((_key, _window, elements) => {
        if (elements.some(({ value }) => value === 3)) throw new Error('three');
        return [elements.map(({ value }) => value)];
      })
      .uid('w'),
  );

  expect(errors).toEqual(['MILLRACE_USER_FUNCTION']);
  expect(results).toEqual([[1], [2], [1, 4], [2, 5]]);
});

test('a window that throws at its end is a dead letter of its own', async () => {
  const { results, errors } = await runWindows(input, ({ keyed }) =>
    keyed
      .window(10)
      .apply((key, { start }, elements) => {
        if (start === 0) throw new Error(`window of ${key}`);
        return [elements.length];
      })
      .uid('w'),
  );

  expect(errors).toEqual(['MILLRACE_USER_FUNCTION', 'MILLRACE_USER_FUNCTION']);
  expect(results).toEqual([1, 1]);
});
