import { expect, test } from '@jest/globals';
import {
  CountEvictor,
  CountTrigger,
  DeltaEvictor,
  type Evictor,
  GlobalWindows,
  type TimeWindow,
  TimeEvictor,
  TumblingEventTimeWindows,
  type WindowedStream,
} from '../../../../../functions/index.ts';
import { appended, type Appended, runAppended, tick } from './run-triggers.ts';

type Windows = WindowedStream<Appended, string, TimeWindow>;

/** What a window of values at these times gives when it ends. */
async function run(times: readonly number[], build: (windows: Windows) => ReturnType<Windows['apply']>): Promise<readonly unknown[]> {
  const records = times.map((time, i) => appended(i, 'a', i + 1, time));
  const { results } = await runAppended([...records, { ...tick(500), at: 500 }], (keyed) =>
    build(keyed.window(TumblingEventTimeWindows.of(100))).uid('w'),
  );
  return results;
}

const valuesOf = (windows: Windows): ReturnType<Windows['apply']> =>
  windows.apply((_key, _window, elements) => [elements.map(({ value }) => value)]);

test('a count evictor keeps the last elements', async () => {
  expect(await run([1, 2, 3, 4], (windows) => valuesOf(windows.evictor(CountEvictor.of(2))))).toEqual([[3, 4]]);
  expect(await run([1], (windows) => valuesOf(windows.evictor(CountEvictor.of(2))))).toEqual([[1]]);
});

test('a time evictor keeps what is close to the latest, by timestamp', async () => {
  expect(await run([40, 60, 31, 51, 50], (windows) => valuesOf(windows.evictor(TimeEvictor.of(10))))).toEqual([[2, 4]]);
});

test('a delta evictor keeps what is close to the last element, by a function', async () => {
  const distance = (element: Appended, last: Appended): number => Math.abs(element.at - last.at);

  expect(await run([40, 62, 31, 51, 50], (windows) => valuesOf(windows.evictor(DeltaEvictor.of(11, distance))))).toEqual([[1, 4, 5]]);
});

test('reduce and aggregate run over what stays', async () => {
  const sum = await run([1, 2, 3, 4], (windows) =>
    windows.evictor(CountEvictor.of(2)).reduce(
      (held, next) => ({ ...held, value: held.value + next.value }),
      (_key, _window, [held]) => [held?.value],
    ),
  );
  const mean = await run([1, 2, 3, 4], (windows) =>
    windows.evictor(CountEvictor.of(3)).aggregate(
      {
        createAccumulator: () => ({ sum: 0, n: 0 }),
        add: (held, { value }) => ({ sum: held.sum + value, n: held.n + 1 }),
        getResult: ({ sum: total, n }) => total / n,
      },
      (_key, _window, [result]) => [result],
    ),
  );
  const count = await run([1, 2, 3, 4], (windows) => windows.evictor(CountEvictor.of(3)).count());

  expect(sum).toEqual([7]);
  expect(mean).toEqual([3]);
  expect(count).toMatchObject([{ count: 3 }]);
});

async function runCounted(evictor: Parameters<Windows['evictor']>[0]): Promise<readonly unknown[]> {
  const records = [1, 2, 3, 4, 5, 6].map((value) => appended(value, 'a', value));
  const { results } = await runAppended(records, (keyed) =>
    keyed
      .window(GlobalWindows.create())
      .trigger(CountTrigger.of(2))
      .evictor(evictor as never)
      .apply((_key, _window, elements) => [elements.map(({ value }) => value)])
      .uid('w'),
  );
  return results;
}

test('what is evicted before stays away, what is evicted after has been seen', async () => {
  expect(await runCounted(CountEvictor.of(3))).toEqual([
    [1, 2],
    [2, 3, 4],
    [4, 5, 6],
  ]);
  expect(await runCounted(CountEvictor.of(1, true))).toEqual([
    [1, 2],
    [2, 3, 4],
    [4, 5, 6],
  ]);
});

test('an evictor of the user gives what stays, before and after', async () => {
  const evictor: Evictor<Appended, TimeWindow> = {
    evictBefore: (elements) => elements.filter(({ value }) => value.value !== 2),
    evictAfter: (elements) => elements.slice(-1),
  };

  expect(await runCounted(evictor)).toEqual([[1], [1, 3, 4], [4, 5, 6]]);
});

test('a window out of which everything is evicted still fires, and is empty afterwards', async () => {
  const none: Evictor<Appended, TimeWindow> = { evictBefore: () => [] };

  expect(await run([1, 2], (windows) => valuesOf(windows.evictor(none)))).toEqual([[]]);
  expect(await run([1, 2], (windows) => windows.evictor(none).reduce((held) => held))).toEqual([]);
});
