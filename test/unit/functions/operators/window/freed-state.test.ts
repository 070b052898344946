import { expect, test } from '@jest/globals';
import {
  ContinuousEventTimeTrigger,
  CountEvictor,
  CountTrigger,
  type DataStream,
  EventTimeSessionWindows,
  type KeyedStream,
  listState,
  mapState,
  PurgingTrigger,
  SlidingEventTimeWindows,
  type TimeWindow,
  TumblingEventTimeWindows,
  Types,
  valueState,
  type WindowedStream,
} from '../../../../../functions/index.ts';
import type { Reading } from './run-windows.ts';
import { runWindows } from './run-windows.ts';
import { WindowDriver } from './window-driver.ts';

const FRAGMENTS = { maxParallelism: 128, count: 1 };
const SIZE = 10;
const WINDOWS = 1000;

type Build = (keyed: KeyedStream<Reading, string>) => DataStream<unknown>;

const kinds: Record<string, Build> = {
  'a tumbling count': (keyed) => keyed.window(SIZE).count(),
  'tumbling elements': (keyed) => keyed.window(SIZE).apply((_key, _window, elements) => [elements.length]),
  'a sliding count in panes': (keyed) => keyed.window(SlidingEventTimeWindows.of(3 * SIZE, SIZE)).count(),
  'sliding elements, with lateness': (keyed) =>
    keyed
      .window(SlidingEventTimeWindows.of(3 * SIZE, SIZE))
      .allowedLateness(15)
      .apply((_key, _window, elements) => [elements.length]),
  sessions: (keyed) => keyed.window(EventTimeSessionWindows.withGap(4)).count(),
  'triggers with state': (keyed) =>
    keyed
      .window(SIZE)
      .trigger(PurgingTrigger.of(CountTrigger.of(2)))
      .count(),
  'continuous triggers': (keyed) => keyed.window(SIZE).trigger(ContinuousEventTimeTrigger.of(3)).count(),
  'an evictor': (keyed) => keyed.window(SIZE).evictor(CountEvictor.of(2)).count(),
  'state of windows': (keyed) =>
    keyed.window(SIZE).process({
      windowState: {
        value: valueState('value', { default: 0 }),
        list: listState('list', Types.number),
        map: mapState('map', Types.string, Types.number),
      },
      process(_key, elements, { windowState }) {
        windowState.value.update(elements.length);
        windowState.list.add(elements.length);
        windowState.map.put('a', elements.length);
        windowState.map.put('b', elements.length);
      },
    }),
};

for (const [name, build] of Object.entries(kinds)) {
  test(`${name}: the state does not grow over a thousand windows, and nothing is left`, () => {
    const driver = new WindowDriver(build);
    const sizes: number[] = [];
    for (let window = 0; window < WINDOWS; window++) {
      const start = 1_000_000 + window * SIZE;
      for (const key of ['a', 'b']) for (const into of [1, 3, 4]) driver.add({ key, at: start + into, value: into });
      driver.watermark(start + SIZE - 1);
      sizes.push(imageBytes(driver));
      driver.state.settle(window);
    }

    const early = Math.max(...sizes.slice(5, 50));
    expect(Math.max(...sizes.slice(50))).toBe(early);
    driver.watermark(Infinity);
    expect(driver.entries()).toEqual({});
  });
}

function imageBytes({ state }: WindowDriver): number {
  return state.images(new Set([0]), FRAGMENTS).get(0)?.length ?? 0;
}

const failing =
  (open: (keyed: KeyedStream<Reading, string>) => WindowedStream<Reading, string, TimeWindow>): Build =>
  (keyed) =>
    open(keyed)
      .reduce(
        (held, next) => ({ ...held, value: held.value + next.value }),
        (_key, { start, end }, [sum]) => {
          if (start < 10) throw new Error('first');
          return [[start, end, sum?.value]];
        },
      )
      .uid('w');

const assigners = {
  tumbling: TumblingEventTimeWindows.of(10),
  sliding: SlidingEventTimeWindows.of(20, 10),
  session: EventTimeSessionWindows.withGap(5),
};

test.each(Object.entries(assigners))('%s: a window whose function fails for good is freed, too', (_name, assigner) => {
  const driver = new WindowDriver(failing((keyed) => keyed.window(assigner)));

  driver.add({ key: 'a', at: 1, value: 1 });
  driver.watermark(Infinity);

  expect(driver.failures).not.toHaveLength(0);
  expect(driver.entries()).toEqual({});
});

test('a window that fails does not keep the next one, which has its elements, from firing', async () => {
  const { results, errors } = await runWindows([{ key: 'a', at: 11, value: 5 }], ({ keyed }) =>
    failing((stream) => stream.window(assigners.sliding))(keyed),
  );

  expect(errors).toHaveLength(1);
  expect(results).toEqual([[10, 30, 5]]);
});
