import { expect, test } from '@jest/globals';
import {
  ContinuousEventTimeTrigger,
  ContinuousProcessingTimeTrigger,
  CountTrigger,
  EventTimeSessionWindows,
  EventTimeTrigger,
  type GlobalWindow,
  GlobalWindows,
  ProcessingTimeTrigger,
  PurgingTrigger,
  reducingState,
  type TimeWindow,
  TumblingEventTimeWindows,
  TumblingProcessingTimeWindows,
} from '../../../../../functions/index.ts';
import { appended, type Appended, runAppended, tick } from './run-triggers.ts';
import { runWindows } from './run-windows.ts';

const values = (_key: string, _window: TimeWindow | GlobalWindow, elements: readonly Appended[]): number[][] => [
  elements.map(({ value }) => value),
];
/** Records 1, 2, 3 … of key a, at these times. */
const at = (...times: readonly number[]): Appended[] => times.map((time, i) => appended(time, 'a', i + 1));

test('a count trigger fires at each n-th element with all of them, and not at the end of the window', async () => {
  const { results } = await runAppended([...at(0, 1, 2, 3, 4), tick(100)], (keyed) =>
    keyed.window(TumblingEventTimeWindows.of(10)).trigger(CountTrigger.of(2)).apply(values).uid('w'),
  );

  expect(results).toEqual([
    [1, 2],
    [1, 2, 3, 4],
  ]);
});

test('a purging trigger drops what has fired', async () => {
  const { results } = await runAppended(at(0, 1, 2, 3, 4), (keyed) =>
    keyed
      .window(GlobalWindows.create())
      .trigger(PurgingTrigger.of(CountTrigger.of(2)))
      .apply(values)
      .uid('w'),
  );

  expect(results).toEqual([
    [1, 2],
    [3, 4],
  ]);
});

test('a purged window that gets elements again still fires at its end', async () => {
  const { results } = await runAppended([...at(0, 1, 12), tick(40)], (keyed) =>
    keyed
      .window(TumblingEventTimeWindows.of(20))
      .allowedLateness(10)
      .trigger(PurgingTrigger.of(EventTimeTrigger.create()))
      .apply(values)
      .uid('w'),
  );

  expect(results).toEqual([[1, 2, 3]]);
});

test('countWindow tumbles and slides by count, each key by itself', async () => {
  const records = [1, 2, 3, 4, 5, 6].flatMap((value) => [
    appended(value, 'a', value),
    ...(value % 2 === 0 ? [appended(value, 'b', value)] : []),
  ]);
  const keyedValues = (key: string, _window: GlobalWindow, elements: readonly Appended[]): string[] => [
    `${key} ${elements.map(({ value }) => value).join()}`,
  ];

  const tumbling = await runAppended(records, (keyed) => keyed.countWindow(3).apply(keyedValues).uid('w'));
  const sliding = await runAppended(records, (keyed) => keyed.countWindow(3, 2).apply(keyedValues).uid('w'));
  const counted = await runAppended(records, (keyed) => keyed.countWindow(3).sum('value').uid('w'));

  expect(tumbling.results).toEqual(['a 1,2,3', 'a 4,5,6', 'b 2,4,6']);
  expect(sliding.results).toEqual(['a 1,2', 'a 2,3,4', 'b 2,4', 'a 4,5,6']);
  expect(counted.results).toMatchObject([
    { key: 'a', value: 6 },
    { key: 'a', value: 15 },
    { key: 'b', value: 12 },
  ]);
});

test('windows over the whole stream work across keys', async () => {
  const input = ['a', 'b', 'a', 'c'].map((key, i) => ({ key, at: i * 6, value: i }));

  const counts = await runWindows(input, ({ all }) => all.windowAll(10).count().uid('w'));
  const pairs = await runWindows(input, ({ all }) =>
    all
      .countWindowAll(2)
      .apply((_window, elements) => [elements.map(({ key }) => key).join('')])
      .uid('w'),
  );

  expect(counts.results).toEqual([
    { window: { start: 0, end: 10 }, count: 2 },
    { window: { start: 10, end: 20 }, count: 2 },
  ]);
  expect(pairs.results).toEqual(['ab', 'ac']);
});

test('a continuous event-time trigger fires at each multiple of its interval and at the end', async () => {
  const { results } = await runAppended([...at(2, 4, 11, 25, 27), tick(31), tick(100)], (keyed) =>
    keyed.window(TumblingEventTimeWindows.of(30)).trigger(ContinuousEventTimeTrigger.of(10)).apply(values).uid('w'),
  );

  // Watermarks: 10 at the fourth record, then 26, 30, 99. The timers at 10, 20 fire with what has come by then.
  expect(results).toEqual([
    [1, 2, 3],
    [1, 2, 3, 4],
    [1, 2, 3, 4, 5],
  ]);
});

test('a continuous processing-time trigger fires at each multiple of its interval', async () => {
  const { results } = await runAppended([...at(2, 11, 13), tick(45)], (keyed) =>
    keyed.window(GlobalWindows.create()).trigger(ContinuousProcessingTimeTrigger.of(10)).apply(values).uid('w'),
  );

  // The timer at 10 fires before the record at 11; those at 20, 30 and 40 when the tick comes.
  expect(results).toEqual([[1], [1, 2, 3], [1, 2, 3], [1, 2, 3]]);
});

test('continuous triggers on a global window end with the input', async () => {
  const input = [1, 2, 15].map((time, i) => ({ key: 'a', at: time, value: i }));
  const run = (trigger: ReturnType<typeof ContinuousEventTimeTrigger.of>) =>
    runWindows(input, ({ keyed }) =>
      keyed
        .window(GlobalWindows.create())
        .trigger(trigger)
        .apply((_key, _window, elements) => [elements.length])
        .uid('w'),
    );

  // At 10 with all that had come before the watermark passed it, at 20 and the end of time with the end of the input.
  expect((await run(ContinuousEventTimeTrigger.of(10))).results).toEqual([3, 3, 3]);
  expect((await run(ContinuousProcessingTimeTrigger.of(10))).results).toEqual([3]);
});

test('a processing-time trigger makes event-time windows fire by the log', async () => {
  const { results } = await runAppended([appended(1, 'a', 1, 5), appended(2, 'a', 2, 5), { ...tick(10), at: 9 }], (keyed) =>
    keyed.window(TumblingEventTimeWindows.of(10)).trigger(ProcessingTimeTrigger.create()).apply(values).uid('w'),
  );

  expect(results).toEqual([[1, 2]]);
});

test('counts of sessions that merge add up', async () => {
  const input = [0, 8, 4, 5].map((time, i) => ({ key: 'a', at: time, value: i + 1 }));

  const { results } = await runWindows(
    input,
    ({ keyed }) =>
      keyed
        .window(EventTimeSessionWindows.withGap(5))
        .trigger(CountTrigger.of(4))
        .apply((_key, window, elements) => [[window.start, window.end, ...elements.map(({ value }) => value)]])
        .uid('w'),
    { outOfOrdernessMs: 50 },
  );

  expect(results).toEqual([[0, 13, 1, 2, 3, 4]]);
});

/** Fires when the values of a window add up to a limit, and at its end. */
function sumTrigger(limit: number) {
  const sum = reducingState('sum', { reduce: (held: number, added: number) => held + added });
  return {
    state: { sum },
    onElement(
      element: Appended,
      _timestamp: number | undefined,
      window: TimeWindow,
      ctx: {
        state: { sum: { get(): number | undefined; add(value: number): void; clear(): void } };
        registerEventTimeTimer(time: number): void;
      },
    ) {
      ctx.state.sum.add(element.value);
      ctx.registerEventTimeTimer(window.end - 1);
      if ((ctx.state.sum.get() ?? 0) < limit) return 'CONTINUE' as const;
      ctx.state.sum.clear();
      return 'FIRE' as const;
    },
    onEventTime: (time: number, window: TimeWindow) => (time === window.end - 1 ? ('FIRE' as const) : ('CONTINUE' as const)),
    onProcessingTime: () => 'CONTINUE' as const,
    onMerge(window: TimeWindow, ctx: { mergePartitionedState(descriptor: typeof sum): void; registerEventTimeTimer(time: number): void }) {
      ctx.mergePartitionedState(sum);
      ctx.registerEventTimeTimer(window.end - 1);
    },
    clear(window: TimeWindow, ctx: { deleteEventTimeTimer(time: number): void }) {
      ctx.deleteEventTimeTimer(window.end - 1);
    },
  };
}

test('a trigger of the user has state and timers of its own in each window', async () => {
  const { results } = await runAppended([...at(0, 1, 2, 3, 13), tick(50)], (keyed) =>
    keyed.window(TumblingEventTimeWindows.of(10)).trigger(sumTrigger(5)).apply(values).uid('w'),
  );

  // Sums 1, 3, 6 → fires; 4; 5 → fires in the next window; then the ends of both.
  expect(results).toEqual([[1, 2, 3], [5], [1, 2, 3, 4], [5]]);
});

test('a trigger of the user merges its state with the windows', async () => {
  const input: Appended[] = [appended(0, 'a', 3), appended(8, 'a', 1), appended(4, 'a', 2)];

  const { results } = await runAppended(input, (keyed) =>
    keyed.window(EventTimeSessionWindows.withGap(5)).allowedLateness(100).trigger(sumTrigger(6)).apply(values).uid('w'),
  );

  // The second record ends the first session ([0, 5)); the third joins the two, and the sum is 3 + 1 + 2.
  expect(results).toEqual([[3], [3, 1, 2]]);
});

test('processing-time windows take count triggers, too', async () => {
  const { results } = await runAppended([...at(0, 1, 2), tick(50)], (keyed) =>
    keyed.window(TumblingProcessingTimeWindows.of(10)).trigger(CountTrigger.of(2)).apply(values).uid('w'),
  );

  expect(results).toEqual([[1, 2]]);
});
