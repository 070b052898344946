/** Operators with two inputs in whole pipelines: what cuts, faults and restarts must not change. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type DataStream, listState, mapState, Types } from '../../../../functions/index.ts';
import { type Fault, runPipeline } from '../../../../local/testing.ts';
import { type Item, item, key, twoTopics, values } from './two-topics.ts';

const items = fc
  .array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(60)), { minLength: 4, maxLength: 20 })
  .map((drawn) => drawn.map(([key, at], i) => item(key, at, `${key}${i}`)));

const rules = mapState('rules', Types.string, Types.number);

const builds: Record<string, (left: DataStream<Item>, right: DataStream<Item>) => DataStream<unknown>> = {
  'window join': (left, right) =>
    left
      .join(right)
      .where(key)
      .equalTo(key)
      .window(10)
      .apply((one, two, { window }) => [one.value, two.value, window.start])
      .uid('w'),
  'interval join': (left, right) =>
    left
      .keyBy(key)
      .intervalJoin(right.keyBy(key))
      .between(-5, 5)
      .process({ processElement: (one, two, ctx) => [[one.value, two.value, ctx.timestamp]] })
      .uid('w'),
  'temporal join': (left, right) =>
    left
      .keyBy(key)
      .temporalJoin(right.keyBy(key), { type: 'left' })
      .apply((one, two) => [one.value, two?.value ?? null])
      .uid('w'),
  connect: (left, right) =>
    left
      .keyBy(key)
      .connect(right.keyBy(key))
      .process({
        state: { seen: listState('seen', Types.string) },
        processElement1({ value, at }, ctx) {
          ctx.state.seen.add(value);
          ctx.timerService.registerEventTimeTimer(at + 3);
        },
        processElement2({ value }, ctx) {
          ctx.state.seen.add(`-${value}`);
          return [ctx.state.seen.get()];
        },
        onTimer: (time, ctx) => [[...ctx.state.seen.get(), `${time}`]],
      })
      .uid('w'),
  broadcast: (left, right) =>
    left
      .keyBy(key)
      .connect(right.broadcast(rules))
      .process({
        processElement: ({ value }, ctx) => [[value, ctx.getBroadcastState(rules).entries()]],
        processBroadcastElement({ key, at }, ctx) {
          const state = ctx.getBroadcastState(rules);
          state.put(key, (state.get(key) ?? 0) + at);
        },
      })
      .uid('w'),
};

const faults: readonly (readonly Fault[])[] = [
  [{ crash: 'before-publish', nth: 2 }],
  [{ crash: 'after-publish', nth: 2 }],
  [{ crash: 'after-commit', nth: 2 }],
  [
    { batch: 'recut', nth: 1 },
    { batch: 'duplicate', nth: 3 },
  ],
  [
    { lose: 'write', nth: 2 },
    { fail: 'read', nth: 2 },
  ],
];

test.each(Object.entries(builds))('%s: cuts, crashes and copies change nothing', async (_, build) => {
  const made = twoTopics(build, { outOfOrdernessMs: 20 });
  const texts = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row)).sort();
  await fc.assert(
    fc.asyncProperty(items, items, fc.constantFrom(...faults), async (left, right, planned) => {
      const input = { left, right };
      // Batches of the same length, or the sources' frames would come in another order.
      const whole = await runPipeline(made, { input, partitions: 1, batchSize: 2 });
      const faulty = await runPipeline(made, { input, partitions: 1, batchSize: 2, faults: planned });

      expect(whole.deadLetters).toEqual([]);
      // A sink that is at least once repeats what a crash behind the publish has cut off.
      expect(new Set(texts(values(faulty)))).toEqual(new Set(texts(values(whole))));
    }),
    { numRuns: 8 },
  );
});
