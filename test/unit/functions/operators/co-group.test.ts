import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  CountTrigger,
  EventTimeSessionWindows,
  json,
  kafka,
  outputTag,
  SlidingEventTimeWindows,
  type TaggedUnion,
  Types,
  type WindowAssigner,
  type TimeWindow,
} from '../../../../functions/index.ts';
import { runPipeline } from '../../../../local/testing.ts';
import { OperatorDriver } from './operator-driver.ts';
import { runShuffled } from './shuffled-run.ts';
import { type Item, item, key, twoTopics, values } from './two-topics.ts';

const late = outputTag('late', Types.json<TaggedUnion<Item, Item>>());

/** A join on its own, in windows of 10 ms. */
function joinDriver(change: Partial<{ lateness: number; tagged: boolean }> = {}): OperatorDriver {
  return new OperatorDriver((env) => {
    const items = env.fromCollection<Item>([]);
    let windows = items.join(items).where(key).equalTo(key).window(10);
    if (change.lateness !== undefined) windows = windows.allowedLateness(change.lateness);
    if (change.tagged) windows = windows.sideOutputLateData(late);
    windows.apply((first, second, ctx) => [first.value, second.value, ctx.key, ctx.window.start]);
  });
}

function give(driver: OperatorDriver, side: 'first' | 'second', ...items: readonly Item[]): void {
  for (const one of items) driver[side](one.key, one.at, one);
}

describe('join', () => {
  test('gives each pair of a key and window, with the last ms of the window as timestamp', () => {
    const driver = joinDriver();

    give(driver, 'second', item('a', 9, 'x'));
    give(driver, 'first', item('a', 1, 'p'), item('a', 5, 'q'), item('a', 10, 'r'), item('b', 5, 's'));
    give(driver, 'second', item('a', 3, 'y'), item('c', 5, 'z'));
    driver.watermark(8);
    expect(driver.results).toEqual([]);
    driver.watermark(9);

    expect(driver.results).toEqual([
      [['p', 'x', 'a', 0], 9],
      [['p', 'y', 'a', 0], 9],
      [['q', 'x', 'a', 0], 9],
      [['q', 'y', 'a', 0], 9],
    ]);
    driver.watermark(Infinity);
    expect(driver.results).toHaveLength(4);
    expect(driver.entries()).toEqual({});
  });

  test('counts records that are late for their window, or puts them out with the name of their stream', () => {
    const counting = joinDriver();
    const tagging = joinDriver({ tagged: true });
    for (const driver of [counting, tagging]) {
      driver.watermark(9);
      give(driver, 'first', item('a', 1, 'p'));
      give(driver, 'second', item('a', 2, 'x'), item('a', 10, 'y'));
    }

    expect([counting.lateRecords, counting.sides]).toEqual([2, {}]);
    expect([tagging.lateRecords, tagging.sides]).toEqual([0, { late: [{ one: item('a', 1, 'p') }, { two: item('a', 2, 'x') }] }]);
  });

  test('a record within the lateness makes its window fire again', () => {
    const driver = joinDriver({ lateness: 5 });
    give(driver, 'first', item('a', 1, 'p'));
    give(driver, 'second', item('a', 2, 'x'));
    driver.watermark(9);
    give(driver, 'second', item('a', 3, 'y'));
    driver.watermark(14);
    give(driver, 'second', item('a', 4, 'z'));

    expect(driver.results.map(([value]) => (value as string[]).slice(0, 2).join(''))).toEqual(['px', 'px', 'py']);
    expect(driver.lateRecords).toBe(1);
    expect(driver.entries()).toEqual({});
  });

  test('a function that throws, or returns a promise, makes the window a dead letter, and frees it', () => {
    for (const fn of [
      () => {
        throw new Error('on purpose');
      },
      async () => Promise.resolve(1),
    ]) {
      const driver = new OperatorDriver((env) => {
        const items = env.fromCollection<Item>([]);
        items.join(items).where(key).equalTo(key).window(10).apply(fn);
      });
      give(driver, 'first', item('a', 1, 'p'));
      give(driver, 'second', item('a', 2, 'x'));
      driver.watermark(9);

      expect([driver.results, driver.failures.length, driver.entries()]).toEqual([[], 1, {}]);
    }
  });

  test('takes the windows, triggers and evictors of one stream, which see records with the name of theirs', async () => {
    const gap = EventTimeSessionWindows.withDynamicGap((element: TaggedUnion<Item, Item>) => ('one' in element ? 5 : 1));
    const made = twoTopics((left, right) =>
      left
        .join(right)
        .where(key)
        .equalTo(key)
        .window(gap)
        .apply((first, second, { window }) => [first.value, second.value, window.start, window.end])
        .uid('sessions')
        .union(
          left
            .join(right)
            .where(key)
            .equalTo(key)
            .window(10)
            .trigger(CountTrigger.of(2))
            .evictor({ evictBefore: (elements) => elements.filter(({ value }) => 'one' in value || value.two.value !== 'evicted') })
            .apply((first, second) => [first.value, second.value])
            .uid('counted'),
        ),
    );
    const input = { left: [item('a', 1, 'p'), item('a', 20, 'q')], right: [item('a', 4, 'x'), item('a', 8, 'evicted')] };

    const run = await runPipeline(made, { input, partitions: 1 });

    expect(values(run).sort()).toEqual([
      ['p', 'x'],
      ['p', 'x', 1, 6],
    ]);
  });
});

test('coGroup sees what only one stream has', () => {
  const driver = new OperatorDriver((env) => {
    const items = env.fromCollection<Item>([]);
    items
      .coGroup(items)
      .where(key)
      .equalTo(key)
      .window(10)
      .apply((first, second, ctx) => [[ctx.key, first.map(({ value }) => value), second.map(({ value }) => value)]]);
  });
  give(driver, 'first', item('a', 1, 'p'), item('b', 1, 'q'), item('a', 0, 'r'));
  give(driver, 'second', item('c', 1, 'x'), item('a', 1, 'y'));
  driver.watermark(9);

  expect(driver.results.map(([value]) => value)).toEqual([
    ['a', ['p', 'r'], ['y']],
    ['b', ['q'], []],
    ['c', [], ['x']],
  ]);
});

/** Windows of an item as [start, end), tried one by one: nothing here is the engine's. */
function sliding(size: number, slide: number): (at: number) => string[] {
  return (at) => {
    const found: string[] = [];
    for (let start = -size; start <= at; start++) if (start % slide === 0 && at < start + size) found.push(`${start}`);
    return found;
  };
}

const items = fc
  .array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(60)), { maxLength: 20 })
  .map((drawn) => drawn.map(([key, at], i) => item(key, at, `${key}${i}`)));

describe('in any order, cut and delivered in any way, as from arrays', () => {
  const windows: Record<string, [WindowAssigner<unknown, TimeWindow>, (at: number) => string[]]> = {
    sliding: [SlidingEventTimeWindows.of(20, 5), sliding(20, 5)],
    tumbling: [SlidingEventTimeWindows.of(10, 10), sliding(10, 10)],
  };

  test.each(Object.entries(windows))('%s windows', async (_, [assigner, windowsOf]) => {
    const made = twoTopics(
      (left, right) => {
        const joined = left
          .join(right.filter(() => true))
          .where(key)
          .equalTo(key)
          .window(assigner)
          .apply((first, second, { window }) => `${window.start} ${first.value} ${second.value}`)
          .uid('join');
        const grouped = left
          .keyBy(key)
          .coGroup(right)
          .where(key)
          .equalTo(key)
          .window(assigner)
          .apply((first, second, { key, window }) => [`${key} ${window.start} ${first.length} ${second.length}`])
          .uid('group');
        grouped.sinkTo(kafka.sink({ topic: 'grouped', value: json() }));
        return joined;
      },
      // So far out of order that no interleaving makes a record late.
      { outOfOrdernessMs: 100 },
    );
    await fc.assert(
      fc.asyncProperty(items, items, fc.nat(1e6), async (left, right, seed) => {
        const { sinks, errors, lateRecords } = await runShuffled(made, { left, right }, { seed });

        expect([errors, lateRecords]).toEqual([[], 0]);
        expect([...(sinks['out'] ?? [])].sort()).toEqual(joinOracle(left, right, windowsOf));
        expect([...(sinks['grouped'] ?? [])].sort()).toEqual(groupOracle(left, right, windowsOf));
      }),
      { numRuns: 15 },
    );
  });
});

function joinOracle(left: readonly Item[], right: readonly Item[], windowsOf: (at: number) => string[]): string[] {
  const found: string[] = [];
  for (const one of left)
    for (const two of right)
      if (one.key === two.key)
        for (const start of windowsOf(one.at)) if (windowsOf(two.at).includes(start)) found.push(`${start} ${one.value} ${two.value}`);
  return found.sort();
}

function groupOracle(left: readonly Item[], right: readonly Item[], windowsOf: (at: number) => string[]): string[] {
  const places = new Set([...left, ...right].flatMap(({ key, at }) => windowsOf(at).map((start) => `${key} ${start}`)));
  const count = (all: readonly Item[], place: string): number =>
    all.filter(({ key, at }) => windowsOf(at).some((start) => `${key} ${start}` === place)).length;
  return [...places].map((place) => `${place} ${count(left, place)} ${count(right, place)}`).sort();
}
