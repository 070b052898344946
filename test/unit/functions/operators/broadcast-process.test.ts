import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type BroadcastStream, type DataStream, listState, mapState, pipeline, Types, valueState } from '../../../../functions/index.ts';
import { planPipeline } from '../../../../functions/graph/plan.ts';
import { isMillraceError } from '../../../../functions/shared/errors.ts';
import { runPipeline } from '../../../../local/testing.ts';
import { OperatorDriver } from './operator-driver.ts';
import { runShuffled } from './shuffled-run.ts';
import { type Item, item, key, twoTopics, values } from './two-topics.ts';

const rules = mapState('rules', Types.string, Types.string);

describe('a keyed stream and one that is broadcast', () => {
  test('every task has what was broadcast, beside the state of its keys', async () => {
    const made = twoTopics(
      (left, right) =>
        right
          .keyBy(key)
          .connect(left.broadcast(rules))
          .process({
            state: { seen: valueState('seen', { default: 0 }) },
            processElement({ value }, ctx) {
              const seen = ctx.state.seen.value() + 1;
              ctx.state.seen.update(seen);
              return [[ctx.key, seen, ctx.getBroadcastState(rules).get(value) ?? 'no rule']];
            },
            processBroadcastElement({ key, value }, ctx) {
              ctx.getBroadcastState(rules).put(key, value);
            },
          })
          .uid('ruled'),
      { parallelism: 4 },
    );
    const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    // The first source is run whole before the second.
    const run = await runPipeline(made, {
      input: { left: [item('x', 1, 'rule x')], right: keys.flatMap((key) => [item(key, 1, 'x'), item(key, 2, 'y')]) },
    });

    expect(values(run).sort()).toEqual(
      keys.flatMap((key) => [
        [key, 1, 'rule x'],
        [key, 2, 'no rule'],
      ]),
    );
  });

  test('reads are of a copy, in the order of the encoded keys; what only reads has no way to write', () => {
    const driver = new OperatorDriver((env) => {
      const items = env.fromCollection<Item>([]);
      items
        .keyBy(key)
        .connect(items.broadcast(rules))
        .process({
          processElement(_, ctx) {
            const state = ctx.getBroadcastState(rules);
            const found: unknown[] = [
              Object.keys(state).sort(),
              state.entries(),
              state.keys(),
              state.values(),
              state.has('a'),
              state.isEmpty(),
            ];
            return found;
          },
          processBroadcastElement({ value, at }, ctx) {
            const state = ctx.getBroadcastState(rules);
            if (at < 0) state.remove(value);
            else state.put(value, `${at}`);
            return [ctx.timestamp] as unknown[];
          },
        });
    });
    driver.second('', 2, item('', 2, 'b'));
    driver.second('', 3, item('', 3, 'a'));
    driver.second('', 4, item('', -1, 'c'));
    driver.first('k', 5, item('k', 5, 'x'));

    expect(driver.results.map(([value]) => value)).toEqual([
      ...[2, 3, 4],
      ['entries', 'get', 'has', 'isEmpty', 'keys', 'values'],
      [
        ['a', '3'],
        ['b', '2'],
      ],
      ['a', 'b'],
      ['3', '2'],
      true,
      false,
    ]);
  });

  test('applyToKeyedState visits each key that has something in the state, in order, and may change it', () => {
    const seen = listState('seen', Types.string);
    const counts = mapState('counts', Types.string, Types.number);
    const driver = new OperatorDriver((env) => {
      const items = env.fromCollection<Item>([]);
      items
        .keyBy(key)
        .connect(items.broadcast(rules))
        .process({
          state: { seen, counts },
          processElement({ value, at }, ctx) {
            if (at > 0) ctx.state.seen.add(value);
            ctx.state.counts.put(value, at);
            ctx.timerService.registerEventTimeTimer(100);
          },
          *processBroadcastElement(_, ctx) {
            const found: unknown[] = [];
            ctx.applyToKeyedState(seen, (key, state) => {
              found.push([key, state.get()]);
              state.clear();
            });
            ctx.applyToKeyedState(counts, (key, state) => found.push([key, state.entries()]));
            yield found;
          },
          onTimer: (time, ctx) => [[ctx.key, time, ctx.state.seen.get(), ctx.getBroadcastState(rules).isEmpty()]],
        });
    });
    driver.first('b', 1, item('b', 1, 'x'));
    driver.first('a', 1, item('a', 1, 'y'));
    driver.first('b', 2, item('b', 2, 'z'));
    driver.first('c', 0, item('c', 0, 'w'));
    driver.second('', 3, item('', 3, ''));
    driver.first('a', 4, item('a', 4, 'v'));
    driver.watermark(100);

    expect(driver.results.map(([value]) => value)).toEqual([
      [
        ['a', ['y']],
        ['b', ['x', 'z']],
        ['a', [['y', 1]]],
        [
          'b',
          [
            ['x', 1],
            ['z', 2],
          ],
        ],
        ['c', [['w', 0]]],
      ],
      ['a', 100, ['v'], true],
      ['b', 100, [], true],
      ['c', 100, [], true],
    ]);
  });

  test('applyToKeyedState visits the keys of a state with a version', async () => {
    const seen = valueState('seen', { default: 0, version: 2, migrate: (old: unknown) => old as number });
    const made = twoTopics(
      (left, right) =>
        left
          .keyBy(key)
          .connect(right.broadcast(rules))
          .process({
            state: { seen },
            processElement(_, ctx) {
              ctx.state.seen.update(ctx.state.seen.value() + 1);
            },
            *processBroadcastElement(_, ctx) {
              const found: unknown[] = [];
              ctx.applyToKeyedState(seen, (of, state) => found.push([of, state.value()]));
              yield found;
            },
          })
          .uid('visited'),
      { parallelism: 1 },
    );
    const run = await runPipeline(made, { input: { left: [item('a', 1, ''), item('b', 2, '')], right: [item('r', 3, '')] } });

    expect(values(run)).toEqual([
      [
        ['a', 1],
        ['b', 1],
      ],
    ]);
  });

  test('a record that fails in every task is a dead letter of each', async () => {
    const made = twoTopics((left, right) =>
      left
        .keyBy(key)
        .connect(right.broadcast(rules))
        .process({
          processElement: () => [],
          processBroadcastElement({ value }) {
            throw new Error(value);
          },
        })
        .uid('ruled'),
    );

    const { deadLetters } = await runPipeline(made, { input: { left: [], right: [item('x', 1, 'bad rule')] } });

    expect(deadLetters.map(({ error }) => error)).toEqual(['bad rule', 'bad rule']);
    expect(new Set(deadLetters.map(({ origin }) => origin)).size).toBe(1);
  });

  test('a state that was not declared is an error of the record', () => {
    const other = mapState('other', Types.string, Types.string);
    const driver = new OperatorDriver((env) => {
      const items = env.fromCollection<Item>([]);
      items
        .keyBy(key)
        .connect(items.broadcast(rules))
        .process({
          processElement: (_, ctx) => [ctx.getBroadcastState(other).isEmpty()],
          processBroadcastElement(_, ctx) {
            ctx.applyToKeyedState(other, () => undefined);
          },
        });
    });

    expect(() => {
      driver.first('a', 1, item('a', 1, ''));
    }).toThrow("'other', which broadcast() was not");
    expect(() => {
      driver.second('', 1, item('', 1, ''));
    }).toThrow("'other', which the function does not declare");
  });
});

test('a stream without a key can look at what is broadcast, too', async () => {
  const made = twoTopics((left, right) =>
    right
      .connect(left.keyBy(key).broadcast(rules))
      .process({
        processElement: ({ value }, ctx) => [ctx.getBroadcastState(rules).get(value) ?? null],
        processBroadcastElement({ key, value }, ctx) {
          ctx.getBroadcastState(rules).put(key, value);
        },
      })
      .uid('ruled'),
  );

  const run = await runPipeline(made, { input: { left: [item('x', 1, 'rule')], right: [item('a', 1, 'x'), item('b', 2, 'y')] } });

  expect(values(run).sort()).toEqual([null, 'rule']);
});

const items = fc
  .array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.nat(50)), { maxLength: 15 })
  .map((drawn) => drawn.map(([key, at], i) => item(key, at, `${key}${i}`)));

test('each task gets each broadcast record once, in any order, cut and delivered in any way', async () => {
  const sums = mapState('sums', Types.string, Types.number);
  const made = twoTopics(
    (left, right) =>
      left
        .keyBy(key)
        .connect(right.broadcast(sums))
        .process({
          processElement(_, ctx) {
            ctx.timerService.registerEventTimeTimer(1e9); // when all is in
          },
          processBroadcastElement({ key, at }, ctx) {
            const state = ctx.getBroadcastState(sums);
            state.put(key, (state.get(key) ?? 0) + at);
          },
          onTimer: (_time, ctx) => [[ctx.key, ctx.getBroadcastState(sums).entries()]],
        })
        .uid('summed'),
    { parallelism: 3 },
  );
  await fc.assert(
    fc.asyncProperty(items, items, fc.nat(1e6), async (left, right, seed) => {
      const { sinks, errors } = await runShuffled(made, { left, right }, { seed });

      const keys = [...new Set(right.map(({ key }) => key))].sort();
      const expected = keys.map((one) => [one, right.filter(({ key }) => key === one).reduce((sum, { at }) => sum + at, 0)]);
      expect(errors).toEqual([]);
      expect([...(sinks['out'] ?? [])].sort()).toEqual([...new Set(left.map(({ key }) => key))].sort().map((one) => [one, expected]));
    }),
    { numRuns: 15 },
  );
});

test('what is no map state, or no pair of functions, is refused', () => {
  const codeOf = (use: (items: DataStream<Item>) => DataStream<unknown>): string => {
    try {
      planPipeline(pipeline('p', (env) => use(env.fromCollection<Item>([])).print()).build());
      return 'taken';
    } catch (error) {
      return isMillraceError(error) ? error.code : String(error);
    }
  };
  const fn = { processElement: () => [], processBroadcastElement: () => [] };
  const plans = (use: (items: DataStream<Item>) => BroadcastStream<Item>, other: object = {}): string =>
    codeOf((one) =>
      one
        .connect(use(one))
        .process({ ...fn, ...other })
        .uid('b'),
    );

  expect(plans((one) => one.broadcast(rules))).toBe('taken');
  expect(plans((one) => one.broadcast())).toBe('MILLRACE_OPTION_INVALID');
  expect(plans((one) => one.broadcast(valueState('n', { default: 0 }) as never))).toBe('MILLRACE_OPTION_INVALID');
  expect(plans((one) => one.broadcast(rules, rules))).toBe('MILLRACE_STATE_DUPLICATE');
  expect(plans((one) => one.broadcast(rules), { processBroadcastElement: undefined })).toBe('MILLRACE_OPTION_INVALID');
  expect(plans((one) => one.broadcast(rules), { state: { rules } })).toBe('MILLRACE_STATE_WITHOUT_KEY');
  expect(plans((one) => one.broadcast(rules), { onTimer: () => [] })).toBe('MILLRACE_STATE_WITHOUT_KEY');
});
