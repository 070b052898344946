import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { outputTag, type TemporalJoin, Types } from '../../../../functions/index.ts';
import { OperatorDriver } from './operator-driver.ts';
import { runShuffled } from './shuffled-run.ts';
import { type Item, item, key, twoTopics } from './two-topics.ts';

const late = outputTag('late', Types.json<Item>());

type Joined = TemporalJoin<Item, Item | undefined, string>;

function joinDriver(type: 'inner' | 'left' = 'inner', change: (joined: Joined) => Joined = (joined) => joined): OperatorDriver {
  return new OperatorDriver((env) => {
    const items = env.fromCollection<Item>([]).keyBy(key);
    change(items.temporalJoin(items, { type })).apply((one, version, ctx) => {
      if (one.value === 'poison') throw new Error('on purpose');
      return `${ctx.key} ${one.value} ${version?.value ?? 'none'} ${String(ctx.versionTimestamp)}`;
    });
  });
}

const record = (driver: OperatorDriver, at: number, value = `r${at}`): void => {
  driver.first('a', at, item('a', at, value));
};
const version = (driver: OperatorDriver, at: number, value = `v${at}`): void => {
  driver.second('a', at, item('a', at, value));
};

describe('a record', () => {
  test('waits for the watermark, and meets the latest version up to its time, whenever that came', () => {
    const driver = joinDriver();
    record(driver, 15);
    version(driver, 20);
    version(driver, 10);
    record(driver, 20);
    driver.second('b', 14, item('b', 14, 'of another key'));
    record(driver, 25);
    version(driver, 5);
    driver.watermark(14);
    expect(driver.results).toEqual([]);
    driver.watermark(20);

    expect(driver.results).toEqual([
      ['a r15 v10 10', 15],
      ['a r20 v20 20', 20],
    ]);
    driver.watermark(Infinity);
    expect(driver.results.at(-1)).toEqual(['a r25 v20 20', 25]);
  });

  test('without a version has no result, but in a left join', () => {
    const [inner, left] = [joinDriver(), joinDriver('left')];
    for (const driver of [inner, left]) {
      record(driver, 5);
      version(driver, 6);
      driver.watermark(10);
    }

    expect([inner.results, left.results]).toEqual([[], [['a r5 none undefined', 5]]]);
  });

  test('behind the watermark is counted, or goes to a side output', () => {
    const [counting, tagging] = [joinDriver(), joinDriver('left', (joined) => joined.sideOutputLateData(late))];
    for (const driver of [counting, tagging]) {
      version(driver, 1);
      driver.watermark(10);
      record(driver, 10);
      record(driver, 11);
      driver.watermark(11);
    }

    expect([counting.results, counting.lateRecords, counting.sides]).toEqual([[['a r11 v1 1', 11]], 1, {}]);
    expect([tagging.results.length, tagging.lateRecords, tagging.sides]).toEqual([1, 0, { late: [item('a', 10, 'r10')] }]);
  });

  test('for which the function throws is a dead letter with those of its key and time; the others go on', () => {
    const driver = joinDriver();
    version(driver, 1);
    record(driver, 5, 'poison');
    record(driver, 5);
    record(driver, 6);
    driver.watermark(10);

    expect([driver.results, driver.failures.length]).toEqual([[['a r6 v1 1', 6]], 1]);
    expect(driver.entries()).toEqual({ 'map:w/$versions': 1, 'value:w/$times': 1 });
  });
});

describe('a version', () => {
  test('takes the place of one of the same time', () => {
    const driver = joinDriver();
    version(driver, 5, 'first');
    version(driver, 5, 'second');
    record(driver, 5);
    driver.watermark(5);

    expect(driver.results).toEqual([['a r5 second 5', 5]]);
  });

  test('that is late counts from then on, unless a newer one does: that is counted as late', () => {
    const driver = joinDriver();
    driver.watermark(10);
    version(driver, 5);
    record(driver, 11);
    driver.watermark(11);
    version(driver, 4);
    version(driver, 6);
    record(driver, 12);
    driver.watermark(12);

    expect(driver.results.map(([value]) => value)).toEqual(['a r11 v5 5', 'a r12 v6 6']);
    expect(driver.lateRecords).toBe(1);
  });

  test('is freed when the watermark has passed a newer one; the last one stays', () => {
    const driver = joinDriver();
    const held: number[] = [];
    for (let at = 0; at < 1000; at++) {
      version(driver, at);
      record(driver, at);
      driver.watermark(at - 5);
      driver.state.settle(at);
      held.push(Object.values(driver.entries()).reduce((sum, count) => sum + count, 0));
    }
    driver.watermark(Infinity);

    expect(Math.max(...held.slice(100))).toBe(Math.max(...held.slice(0, 100)));
    expect(driver.results).toHaveLength(1000);
    expect(driver.entries()).toEqual({ 'map:w/$versions': 1, 'value:w/$times': 1 });
  });
});

test.each([undefined, -1, NaN])('a record or version with timestamp %p fails', (at) => {
  const driver = joinDriver();

  expect(() => {
    driver.first('a', at, item('a', 0, 'r'));
  }).toThrow('temporal join');
  expect(() => {
    driver.second('a', at, item('a', 0, 'v'));
  }).toThrow('temporal join');
});

const items = fc
  .array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(60)), { maxLength: 20 })
  .map((drawn) => drawn.map(([key, at], i) => item(key, at, `${key}${i}`)));
/** One a key and time: of two, the later one to arrive is valid, which no order fixes. */
const versions = fc
  .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(60)), { maxLength: 20, selector: (drawn) => drawn.join() })
  .map((drawn) => drawn.map(([key, at], i) => item(key, at, `v${i}`)));

/** From arrays and sorts: nothing here is the engine's. */
function oracle(left: readonly Item[], versions: readonly Item[], type: 'inner' | 'left'): string[] {
  return left
    .flatMap((one) => {
      const [valid] = versions.filter(({ key, at }) => key === one.key && at <= one.at).sort((v, w) => w.at - v.at);
      return valid === undefined && type === 'inner' ? [] : [`${one.value} ${valid?.value ?? 'none'}`];
    })
    .sort();
}

test.each(['inner', 'left'] as const)('%s join: as from arrays, in any order, cut and delivered in any way', async (type) => {
  const made = twoTopics(
    (left, right) =>
      left
        .keyBy(key)
        .temporalJoin(right.keyBy(key), { type })
        .apply((one, version) => `${one.value} ${version?.value ?? 'none'}`)
        .uid('joined'),
    // So far out of order that no interleaving makes a record late.
    { outOfOrdernessMs: 100 },
  );
  await fc.assert(
    fc.asyncProperty(items, versions, fc.nat(1e6), async (left, right, seed) => {
      const { sinks, errors, lateRecords } = await runShuffled(made, { left, right }, { seed });

      expect([errors, lateRecords]).toEqual([[], 0]);
      expect([...(sinks['out'] ?? [])].sort()).toEqual(oracle(left, right, type));
    }),
    { numRuns: 20 },
  );
});
