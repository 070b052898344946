import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { json, kafka, pipeline } from '../../../../functions/index.ts';
import { runPipeline } from '../../../../local/testing.ts';
import { runShuffled } from './shuffled-run.ts';
import { type Item, item, key, twoTopics, values } from './two-topics.ts';

test('all records of sources of different kinds', async () => {
  const made = pipeline('p', { parallelism: 2 }, (env) => {
    const topic = env.fromSource(kafka.source({ topic: 'numbers', value: json<number>() }), { uid: 'numbers' });
    env
      .fromElements(1, 2, 3)
      .union(
        topic,
        topic.map((n) => -n),
        env.fromCollection([7]),
      )
      .sinkTo(kafka.sink({ topic: 'out', value: json() }));
  });

  const run = await runPipeline(made, { input: { numbers: [10, 20] } });

  expect(values(run).sort()).toEqual([-10, -20, 1, 10, 2, 20, 3, 7]);
});

const items = fc
  .array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(60)), { maxLength: 15 })
  .map((drawn) => drawn.map(([key, at], i) => item(key, at, `${key}${i}`)));

test('a window over a union, and a join of a union with one of its parts: as from arrays, in any order, cut and delivered in any way', async () => {
  const made = twoTopics(
    (left, right) => {
      const all = left.union(right.filter(() => true));
      all
        .keyBy(key)
        .window(10)
        .count()
        .uid('counts')
        .map(({ key, window, count }) => `${key} ${window.start} ${count}`)
        .sinkTo(kafka.sink({ topic: 'counts', value: json() }));
      return all
        .join(left)
        .where(key)
        .equalTo(key)
        .window(10)
        .apply((one, two) => `${one.value} ${two.value}`)
        .uid('pairs');
    },
    { outOfOrdernessMs: 100 },
  );
  const windowOf = ({ key, at }: Item): string => `${key} ${at - (at % 10)}`;
  await fc.assert(
    fc.asyncProperty(items, items, fc.nat(1e6), async (left, right, seed) => {
      const { sinks, errors, lateRecords } = await runShuffled(made, { left, right }, { seed });

      const all = [...left, ...right];
      const places = [...new Set(all.map(windowOf))];
      expect([errors, lateRecords]).toEqual([[], 0]);
      expect([...(sinks['counts'] ?? [])].sort()).toEqual(
        places.map((place) => `${place} ${all.filter((one) => windowOf(one) === place).length}`).sort(),
      );
      expect([...(sinks['out'] ?? [])].sort()).toEqual(
        all.flatMap((one) => left.filter((two) => windowOf(two) === windowOf(one)).map((two) => `${one.value} ${two.value}`)).sort(),
      );
    }),
    { numRuns: 15 },
  );
});
