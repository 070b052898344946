import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type IntervalJoined, json, kafka, outputTag, Types } from '../../../../functions/index.ts';
import { OperatorDriver } from './operator-driver.ts';
import { runShuffled } from './shuffled-run.ts';
import { type Item, item, key, twoTopics } from './two-topics.ts';

type Joined = IntervalJoined<Item, Item, string>;

const late = { left: outputTag('late-left', Types.json<Item>()), right: outputTag('late-right', Types.json<Item>()) };

function joinDriver(lower: number, upper: number, change: (joined: Joined) => Joined = (joined) => joined): OperatorDriver {
  return new OperatorDriver((env) => {
    const items = env.fromCollection<Item>([]).keyBy(key);
    change(items.intervalJoin(items).between(lower, upper)).process({
      processElement: (left, right, ctx) => [
        `${ctx.key} ${left.value}${ctx.leftTimestamp} ${right.value}${ctx.rightTimestamp} ${ctx.timestamp}`,
      ],
    });
  });
}

const left = (driver: OperatorDriver, ...times: readonly number[]): void => {
  for (const at of times) driver.first('a', at, item('a', at, 'l'));
};
const right = (driver: OperatorDriver, ...times: readonly number[]): void => {
  for (const at of times) driver.second('a', at, item('a', at, 'r'));
};
/** The pairs as times. */
const pairs = ({ results }: OperatorDriver): string[] =>
  results.map(([value]) => String(value).split(' ').slice(1, 3).join(' ').replace(/[lr]/g, ''));

describe('between', () => {
  test('both bounds are inclusive, whichever record comes first; a pair has the later time', () => {
    const driver = joinDriver(-2, 3);
    left(driver, 10);
    right(driver, 7, 8, 13, 14);
    left(driver, 5, 11);

    expect(pairs(driver)).toEqual(['10 8', '10 13', '5 7', '5 8', '11 13', '11 14']);
    expect(driver.results.slice(0, 2)).toEqual([
      ['a l10 r8 10', 10],
      ['a l10 r13 13', 13],
    ]);
  });

  test('wider bounds on the state of narrower ones hold for records that come afterwards', () => {
    const before = joinDriver(-10, 40);
    left(before, 0);
    const after = joinDriver(-10, 50);
    Object.assign(after, { state: before.state });
    after.context.state = before.state;
    left(after, 15);
    after.watermark(56);
    right(after, 60);

    expect(pairs(after)).toEqual(['15 60']);
  });

  test('bounds can be exclusive', () => {
    const driver = joinDriver(-2, 3, (joined) => joined.lowerBoundExclusive().upperBoundExclusive());
    left(driver, 10);
    right(driver, 8, 9, 12, 13);

    expect(pairs(driver)).toEqual(['10 9', '10 12']);
  });

  test.each([
    [0, 0, '10 10'],
    [-5, -3, '10 5,10 7'],
    [3, 5, '10 13,10 15'],
  ])('%i to %i', (lower, upper, expected) => {
    const [before, after] = [joinDriver(lower, upper), joinDriver(lower, upper)];
    const rights = [4, 5, 7, 8, 10, 12, 13, 15, 16];
    left(before, 10);
    right(before, ...rights);
    right(after, ...rights);
    left(after, 10);

    expect([pairs(before).join(), pairs(after).join()]).toEqual([expected, expected]);
  });

  test('keys never meet', () => {
    const driver = joinDriver(0, 10);
    left(driver, 1);
    driver.second('b', 1, item('b', 1, 'r'));

    expect(driver.results).toEqual([]);
  });
});

describe('late records', () => {
  test('are dropped and counted; one at the watermark is on time', () => {
    const driver = joinDriver(-5, 5);
    driver.watermark(10);
    left(driver, 9, 10);
    right(driver, 9, 12);

    expect([pairs(driver), driver.lateRecords]).toEqual([['10 12'], 2]);
  });

  test('go to a side output of their stream, where there is one', () => {
    const driver = joinDriver(-5, 5, (joined) => joined.sideOutputLeftLateData(late.left).sideOutputRightLateData(late.right));
    driver.watermark(10);
    left(driver, 9);
    right(driver, 8);

    expect([driver.sides, driver.lateRecords]).toEqual([{ 'late-left': [item('a', 9, 'l')], 'late-right': [item('a', 8, 'r')] }, 0]);
  });
});

describe('state', () => {
  test('a record is there for all that are on time, and is freed soon behind them', () => {
    const driver = joinDriver(-10, 20); // buckets of 8 ms
    left(driver, 100);
    right(driver, 101);
    driver.watermark(120);
    right(driver, 120);
    expect(pairs(driver)).toEqual(['100 101', '100 120']);

    driver.watermark(100 + 20 + 8);
    expect(driver.entries()).toEqual({ 'map:w/$right': 1, 'timers:w/event': 1 });
    driver.watermark(120 + 10 + 8);
    expect(driver.entries()).toEqual({});
  });

  test('what can only meet late records is not kept at all', () => {
    const driver = joinDriver(-20, -10);
    driver.watermark(100);
    left(driver, 101);

    expect(driver.entries()).toEqual({});
  });

  test('does not grow as time passes', () => {
    const driver = joinDriver(-5000, 5000);
    const held: number[] = [];
    for (let second = 0; second < 1000; second++) {
      const at = second * 1000;
      for (const one of ['a', 'b', 'c']) {
        driver.first(one, at, item(one, at, 'l'));
        driver.second(one, at + 300, item(one, at, 'r'));
      }
      driver.watermark(at - 2000);
      driver.state.settle(second);
      held.push(Object.values(driver.entries()).reduce((sum, count) => sum + count, 0));
    }

    expect(Math.max(...held.slice(100))).toBe(Math.max(...held.slice(0, 100)));
    // From five seconds before to four behind, less what is outside of the thousand.
    expect(driver.results).toHaveLength(3 * (10 * 1000 - (1 + 2 + 3 + 4 + 5) - (1 + 2 + 3 + 4)));
  });

  test('what the function throws fails the record that came last', () => {
    const driver = new OperatorDriver((env) => {
      const items = env.fromCollection<Item>([]).keyBy(key);
      items
        .intervalJoin(items)
        .between(0, 5)
        .process({
          processElement() {
            throw new Error('on purpose');
          },
        });
    });
    left(driver, 1);

    expect(() => {
      right(driver, 2);
    }).toThrow('on purpose');
  });
});

test.each([undefined, -1, NaN])('a record with timestamp %p fails', (at) => {
  const driver = joinDriver(0, 1);

  expect(() => {
    driver.first('a', at, item('a', 0, 'l'));
  }).toThrow('interval join');
});

test('user code can change neither what is kept nor what others see', () => {
  const driver = new OperatorDriver((env) => {
    const items = env.fromCollection<{ n: number }>([]).keyBy(() => 'a');
    items
      .intervalJoin(items)
      .between(0, 9)
      .process({
        processElement(left, right) {
          left.n += 1;
          right.n += 10;
          return [left.n + right.n];
        },
      });
  });
  driver.first('a', 1, { n: 0 });
  driver.second('a', 2, { n: 0 });
  driver.second('a', 3, { n: 0 });

  expect(driver.results.map(([value]) => value)).toEqual([11, 11]);
});

const items = fc
  .array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(80)), { maxLength: 25 })
  .map((drawn) => drawn.map(([key, at], i) => item(key, at, `${key}${i}`)));

test('gives the pairs of two arrays, in any order, cut and delivered in any way', async () => {
  await fc.assert(
    fc.asyncProperty(items, items, fc.integer({ min: -30, max: 30 }), fc.nat(30), fc.nat(1e6), async (left, right, lower, length, seed) => {
      const made = twoTopics(
        (left, right) =>
          left
            .keyBy(key)
            .intervalJoin(right.keyBy(key))
            .between(lower, lower + length)
            .process({ processElement: (one, two) => [`${one.value} ${two.value}`] })
            .uid('joined'),
        // So far out of order that no interleaving makes a record late.
        { outOfOrdernessMs: 100 },
      );

      const { sinks, errors, lateRecords } = await runShuffled(made, { left, right }, { seed });

      expect([errors, lateRecords]).toEqual([[], 0]);
      expect([...(sinks['out'] ?? [])].sort()).toEqual(
        left
          .flatMap((one) =>
            right
              .filter(({ key, at }) => key === one.key && at - one.at >= lower && at - one.at <= lower + length)
              .map((two) => `${one.value} ${two.value}`),
          )
          .sort(),
      );
    }),
    { numRuns: 30 },
  );
});

test('whatever is late: each record is put out to the side once, or has met all that are not', async () => {
  const made = twoTopics((left, right) => {
    const joined = left
      .keyBy(key)
      .intervalJoin(right.keyBy(key))
      .between(-7, 9)
      .sideOutputLeftLateData(late.left)
      .sideOutputRightLateData(late.right)
      .process({ processElement: (one, two) => [`${one.value} ${two.value}`] })
      .uid('joined');
    joined.getSideOutput(late.left).sinkTo(kafka.sink({ topic: 'late-left', value: json() }));
    joined.getSideOutput(late.right).sinkTo(kafka.sink({ topic: 'late-right', value: json() }));
    return joined;
  });
  let lates = 0;
  await fc.assert(
    fc.asyncProperty(items, items, fc.nat(1e6), async (left, right, seed) => {
      const { sinks, lateRecords } = await runShuffled(made, { left, right }, { seed, partitions: 1, maxBatch: 3 });

      const behind = (topic: string): string[] => (sinks[topic] as Item[]).map(({ value }) => value);
      const [lateLeft, lateRight] = [behind('late-left'), behind('late-right')];
      lates += lateLeft.length + lateRight.length;
      const onTime = (all: readonly Item[], late: readonly string[]): Item[] => all.filter(({ value }) => !late.includes(value));
      expect(lateRecords).toBe(0);
      expect([...(sinks['out'] ?? [])].sort()).toEqual(
        onTime(left, lateLeft)
          .flatMap((one) =>
            onTime(right, lateRight)
              .filter(({ key, at }) => key === one.key && at - one.at >= -7 && at - one.at <= 9)
              .map((two) => `${one.value} ${two.value}`),
          )
          .sort(),
      );
    }),
    { numRuns: 30 },
  );
  expect(lates).toBeGreaterThan(30);
});
