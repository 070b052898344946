import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type DataStream, listState, outputTag, pipeline, Types, valueState } from '../../../../functions/index.ts';
import { planPipeline } from '../../../../functions/graph/plan.ts';
import { isMillraceError } from '../../../../functions/shared/errors.ts';
import { runPipeline } from '../../../../local/testing.ts';
import { OperatorDriver } from './operator-driver.ts';
import { runShuffled } from './shuffled-run.ts';
import { type Item, item, key, twoTopics, values } from './two-topics.ts';

describe('streams without a key', () => {
  test('map and flatMap tell the two inputs apart', async () => {
    const made = twoTopics((left, right) =>
      left
        .connect(right)
        .map({ map1: ({ value }) => `left ${value}`, map2: ({ value }) => `right ${value}` })
        .union(left.connect(right).flatMap({ flatMap1: ({ value }) => [value, value], flatMap2: () => [] })),
    );

    const run = await runPipeline(made, { input: { left: [item('a', 1, 'x')], right: [item('a', 1, 'y')] } });

    expect(values(run).sort()).toEqual(['left x', 'right y', 'x', 'x']);
  });

  test('a process function has no key, and can put out to the side', async () => {
    const even = outputTag('even', Types.number);
    const made = twoTopics((left, right) => {
      const lengths = left.connect(right).process({
        processElement1: ({ value }) => [value.length],
        processElement2({ value }, ctx) {
          ctx.output(even, value.length);
        },
      });
      return lengths.union(lengths.getSideOutput(even).map((n) => -n));
    });

    const run = await runPipeline(made, { input: { left: [item('a', 1, 'xyz')], right: [item('a', 1, 'yz')] } });

    expect(values(run).sort()).toEqual([-2, 3]);
  });

  test('what comes from one stage stays in it, and a stream that meets itself comes to its first input first', async () => {
    const made = twoTopics((left, right) => {
      right.print();
      return left.connect(left).map({ map1: () => 1, map2: () => 2 });
    });

    const run = await runPipeline(made, { input: { left: [item('a', 1, 'x'), item('a', 2, 'y')] }, partitions: 1 });

    expect(values(run)).toEqual([1, 2, 1, 2]);
    expect(Object.keys(run.invocations).sort()).toEqual(['left', 'right']);
  });
});

describe('keyed streams', () => {
  test('share state and timers of the key; results keep the timestamp of their record, or have that of the timer', () => {
    const driver = new OperatorDriver((env) => {
      const items = env.fromCollection<Item>([]).keyBy(key);
      items.connect(items).process({
        state: { seen: listState('seen', Types.string) },
        processElement1({ value, at }, ctx) {
          ctx.state.seen.add(value);
          ctx.timerService.registerEventTimeTimer(at + 10);
          return [[ctx.key, ...ctx.state.seen.get()]];
        },
        processElement2({ value }, ctx) {
          ctx.state.seen.add(value.toUpperCase());
          return [[ctx.key, ...ctx.state.seen.get()]];
        },
        onTimer: (_time, ctx) => [['timer', ctx.timeDomain, ...ctx.state.seen.get()]],
      });
    });

    driver.first('a', 1, item('a', 1, 'x'));
    driver.second('a', 2, item('a', 2, 'y'));
    driver.second('b', 3, item('b', 3, 'z'));
    driver.watermark(11);

    expect(driver.results).toEqual([
      [['a', 'x'], 1],
      [['a', 'x', 'Y'], 2],
      [['b', 'Z'], 3],
      [['timer', 'event', 'x', 'Y'], 11],
    ]);
  });

  test('a timer waits for the watermarks of both', async () => {
    const made = twoTopics((left, right) =>
      left
        .keyBy(key)
        .connect(right.keyBy(key))
        .process({
          processElement1({ at }, ctx) {
            ctx.timerService.registerEventTimeTimer(at);
          },
          processElement2: () => [],
          onTimer: (time) => [time],
        })
        .uid('timers'),
    );
    const left = [40, 60, 100].map((at) => item('a', at, 'x'));

    const run = await runPipeline(made, { input: { left, right: [item('b', 50, 'y')] }, partitions: 1, end: false });
    const alone = await runPipeline(made, { input: { left }, partitions: 1, end: false });
    const ended = await runPipeline(made, { input: { left }, partitions: 1 });

    expect([values(run), values(alone), values(ended)]).toEqual([[40], [], [40, 60, 100]]);
  });

  test('a record that fails is a dead letter, and takes back what it did to state that both share', async () => {
    const made = twoTopics((left, right) =>
      left
        .keyBy(key)
        .connect(right.keyBy(key))
        .process({
          state: { count: valueState('count', { default: 0 }) },
          processElement1(_, ctx) {
            ctx.state.count.update(ctx.state.count.value() + 1);
          },
          processElement2({ value }, ctx) {
            ctx.state.count.update(ctx.state.count.value() + 10);
            if (value === 'poison') throw new Error(value);
            return [ctx.state.count.value()];
          },
        })
        .uid('counts'),
    );
    const right = [item('a', 1, 'poison'), item('a', 2, 'fine')];

    const run = await runPipeline(made, { input: { left: [item('a', 1, 'x')], right }, partitions: 1 });

    expect(values(run)).toEqual([11]);
    expect(run.deadLetters.map(({ code, error, value }) => [code, error.includes('poison'), value])).toMatchObject([
      ['MILLRACE_USER_FUNCTION', true, { tag: 1, value: right[0] }],
    ]);
  });
});

/** Puts each pair of records with one key out once, whichever comes first. */
function pairs(left: DataStream<Item>, right: DataStream<Item>): DataStream<string> {
  return left
    .keyBy(key)
    .connect(right.keyBy(key))
    .process({
      state: { lefts: listState('lefts', Types.string), rights: listState('rights', Types.string) },
      processElement1({ value }, ctx) {
        ctx.state.lefts.add(value);
        return ctx.state.rights.get().map((right) => `${value}-${right}`);
      },
      processElement2({ value }, ctx) {
        ctx.state.rights.add(value);
        return ctx.state.lefts.get().map((left) => `${left}-${value}`);
      },
    })
    .uid('pairs');
}

function expectedPairs(left: readonly Item[], right: readonly Item[]): string[] {
  return left.flatMap((one) => right.filter((other) => other.key === one.key).map((other) => `${one.value}-${other.value}`)).sort();
}

const items = fc
  .array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(50)), { maxLength: 15 })
  .map((drawn) => drawn.map(([key, at], i) => item(key, at, `${key}${i}`)));
const seed = fc.nat(1e6);

describe('scenario 10: fan-in of two stages with tags, one stage by two edges, self-join', () => {
  const cases: Record<string, [build: typeof pairs, expected: typeof expectedPairs]> = {
    'two stages': [pairs, expectedPairs],
    'one stage by two edges': [
      (left, right) => {
        right.print();
        return pairs(
          left,
          left.filter(({ at }) => at > 20),
        );
      },
      (left) =>
        expectedPairs(
          left,
          left.filter(({ at }) => at > 20),
        ),
    ],
    'a stream with itself': [
      (left, right) => {
        right.print();
        return pairs(left, left);
      },
      (left) => expectedPairs(left, left),
    ],
    'each side a union of both': [
      (left, right) => pairs(left.union(right.map((one) => ({ ...one, value: `${one.value}r` }))), right.union(left)),
      (left, right) => expectedPairs([...left, ...right.map((one) => ({ ...one, value: `${one.value}r` }))], [...right, ...left]),
    ],
  };

  test.each(Object.entries(cases))('%s: in any order, cut and delivered in any way', async (_, [build, expected]) => {
    await fc.assert(
      fc.asyncProperty(items, items, seed, async (left, right, seed) => {
        const { sinks, errors } = await runShuffled(twoTopics(build), { left, right }, { seed });

        expect(errors).toEqual([]);
        expect([...(sinks['out'] ?? [])].sort()).toEqual(expected(left, right));
      }),
      { numRuns: 15 },
    );
  });
});

test('what is no pair of functions is refused, and so is a stream of elsewhere', () => {
  const refusals = (use: (items: DataStream<Item>) => DataStream<unknown>): string => {
    try {
      planPipeline(pipeline('p', (env) => use(env.fromCollection<Item>([])).print()).build());
      return 'taken';
    } catch (error) {
      return isMillraceError(error) ? error.code : String(error);
    }
  };

  expect(refusals((one) => one.connect(one).map({ map1: () => 1 } as never))).toBe('MILLRACE_OPTION_INVALID');
  expect(refusals((one) => one.connect(one).flatMap(undefined as never))).toBe('MILLRACE_OPTION_INVALID');
  expect(refusals((one) => one.connect(one).process({ processElement: () => [] } as never))).toBe('MILLRACE_OPTION_INVALID');
  expect(
    refusals((one) =>
      one
        .connect(one)
        .keyBy(key, 'key' as never)
        .map({ map1: () => 1, map2: () => 2 }),
    ),
  ).toBe('MILLRACE_OPTION_INVALID');
  expect(refusals((one) => one.connect(one.keyBy(key) as never).map({ map1: () => 1, map2: () => 2 }))).toBe('MILLRACE_STATE_WITHOUT_KEY');
  expect(refusals((one) => one.connect([] as unknown as typeof one).map({ map1: () => 1, map2: () => 2 }))).toBe('MILLRACE_STREAM_FOREIGN');
});
