/** What `millrace why` finds, against records that carry their own way: each function notes in the value what it was made from. */
import { describe, expect, test } from '@jest/globals';
import { json, kafka, type Pipeline, pipeline, WatermarkStrategy } from '../../../../functions/index.ts';
import { type Fault, ManualClock } from '../../../../local/testing.ts';
import { runWorld } from '../../../../local/testing/run-pipeline.ts';
import { TestWorld } from '../../../../local/testing/world.ts';
import { chain, fan, input, type Item, run, sink, source, stepOf, type Traced, walkAll } from './traced.ts';

const isOdd = ({ id }: Item): boolean => Number(id.slice(1)) % 2 === 1;

/** The watermark that a record of this time brings: no older one comes, rounded down to 200 ms. */
const watermarkOf = (at: number): number => Math.floor((at - 1) / 200) * 200;

const FAULTS: readonly Fault[][] = [
  [],
  [
    { crash: 'after-publish', nth: 3 },
    { batch: 'recut', nth: 2 },
  ],
  [
    { lose: 'append', nth: 4 },
    { batch: 'duplicate', nth: 3 },
  ],
];

describe('a chain that fans out', () => {
  const kinds: [string, Pipeline][] = [
    ['at least once', chain('plain', {})],
    ['in transactions', chain('exact', { delivery: 'exactly-once' })],
    ['with a journal', chain('journaled', {}, true)],
    ['with a journal, in transactions', chain('both', { delivery: 'exactly-once' }, true)],
  ];
  test.each(kinds.flatMap(([name, made]) => FAULTS.map((faults) => [name, faults, made] as const)))(
    'every message leads back over its own records: %s, %j',
    async (_name, faults, made) => {
      const world = await run(made, input, faults);

      const walks = await walkAll(world, 'out');

      expect(walks.length).toBeGreaterThan(60);
      for (const hops of walks) {
        const [output, ...causes] = hops;
        const { path } = (output as { value: { value: unknown } }).value.value as Traced;
        expect(hops.map(({ kind }) => kind)).toEqual(['output', 'record', 'record', 'source']);
        expect(causes.map(stepOf)).toEqual([...path].reverse());
        expect(hops.at(-1)).toMatchObject({ topic: path[0]?.startsWith('l') === true ? 'left' : 'right', source: 'in', stage: 'in' });
      }
      const heads = new Set(walks.map((hops) => stepOf(hops.at(-1))));
      expect(heads.size).toBeGreaterThan(30); // both topics, many records
    },
  );
});

test.each([false, true])('copies that a repeated batch writes are the same bytes; with a fence: %p', async (isFenced) => {
  const made = pipeline('copies', (env) => {
    const items = env.fromSource(kafka.source({ topic: 'left', value: json<Item>(), keyedByRecordKey: true }), { uid: 'in' });
    const newest = isFenced ? items.keyBy(() => 'all').reduce((_, next) => next).uid('newest') : items; // prettier-ignore
    newest.flatMap(fan).sinkTo(sink());
  });
  const world = await run(made, { left: input.left }, [{ crash: 'after-publish', nth: 2 }]);

  const messages = world.log.partitions('out').flat();
  const texts = messages.map(({ value, headers }) => JSON.stringify([String(value), headers?.map((one) => one.map(String))]));
  const origins = new Set(messages.map(({ headers }) => String(headers?.at(-1)?.[1])));

  expect(world.plan.stages).toMatchObject([{ fenced: isFenced }]);
  expect(texts.length).toBeGreaterThan(origins.size);
  expect(new Set(texts).size).toBe(origins.size);
});

describe('one stage', () => {
  test.each([
    ['without a fence', {}],
    ['in transactions', { delivery: 'exactly-once' as const }],
  ])('that reads and writes, %s', async (_name, end) => {
    const made = pipeline('single', (env) => {
      env.fromSource(source('left', 'right'), { uid: 'in' }).filter(isOdd).flatMap(fan).sinkTo(sink(end));
    });

    const walks = await walkAll(await run(made, input), 'out');

    expect(walks.length).toBeGreaterThan(20);
    for (const hops of walks) {
      const { path } = (hops[0] as { value: { value: unknown } }).value.value as Traced;
      expect(hops).toMatchObject([{ kind: 'output' }, { kind: 'source', value: { value: { id: path[0] } } }]);
      expect(hops[1]).not.toHaveProperty('fired');
    }
  });

  test('with keys and timers: the record that made an output, the record that fired a timer, or the end', async () => {
    const made = pipeline('timers', (env) => {
      env
        .fromSource(kafka.source({ topic: 'left', value: json<Item>(), keyedByRecordKey: true }), { uid: 'in' })
        .assignTimestampsAndWatermarks(WatermarkStrategy.forMonotonousTimestamps().withTimestampAssigner(({ at }) => at))
        .keyBy(() => 'all')
        .process({
          *processElement({ id, at }, { timerService }) {
            timerService.registerEventTimeTimer(at + 3000);
            yield { by: id, due: 0 };
          },
          *onTimer(time) {
            yield { by: '', due: time };
          },
        })
        .uid('timers')
        .sinkTo(sink());
    });
    const items = Array.from({ length: 10 }, (_, i) => ({ id: `l${i}`, at: 1000 * i + 7 * i * i }));
    const options = { input: { left: items }, batchSize: 4, partitions: 1 };
    const world = new TestWorld(made, options);
    await runWorld(world, options);

    const walks = await walkAll(world, 'out');

    expect(walks).toHaveLength(20);
    for (const [output, cause, ...more] of walks) {
      const { by, due } = (output as { value: { value: unknown } }).value.value as { by: string; due: number };
      const firing = items.find(({ at }) => watermarkOf(at) >= due);
      expect(more).toEqual([]);
      if (by !== '') expect(cause).toMatchObject({ kind: 'source', value: { value: { id: by } } });
      else if (firing) expect(cause).toMatchObject({ kind: 'source', fired: 'event timer', value: { value: firing } });
      else expect(cause).toEqual({ kind: 'end', topic: 'left', partition: 0, offset: 10, stage: 'in', source: 'in' });
    }
    expect(walks.filter(([, cause]) => cause?.kind === 'end').length).toBeGreaterThan(0);
    expect(walks.filter(([, cause]) => cause && 'fired' in cause).length).toBeGreaterThan(3);
  });
});

test('a timer behind a channel leads to the watermark, and the input between which it rose', async () => {
  const made = pipeline('behind', { parallelism: 2 }, (env) => {
    env
      .fromSource(source('left'), { uid: 'in' })
      .assignTimestampsAndWatermarks(WatermarkStrategy.forMonotonousTimestamps().withTimestampAssigner(({ at }) => at))
      .keyBy(({ id }) => id)
      .process({
        processElement({ at }, { timerService }) {
          timerService.registerEventTimeTimer(at + 2000);
        },
        *onTimer(time) {
          yield time;
        },
      })
      .uid('timers')
      .sinkTo(sink());
  });
  const items = Array.from({ length: 40 }, (_, i) => ({ id: `l${i % 3}`, at: 1000 * i }));
  const options = { input: { left: items }, batchSize: 100, partitions: 1 };
  const world = new TestWorld(made, options);
  await runWorld(world, options);

  const walks = await walkAll(world, 'out');

  expect(walks).toHaveLength(40);
  let bounded = 0;
  for (const [output, cause, ...more] of walks) {
    const due = (output as { value: { value: number } }).value.value;
    const firing = items.findIndex(({ at }) => watermarkOf(at) >= due);
    expect(more).toEqual([]);
    expect(cause).toMatchObject({
      kind: 'watermark',
      stage: 'timers',
      from: 'in/left-0@1',
      watermark: firing < 0 ? 'Infinity' : expect.any(Number),
    });
    const { after, before } = cause as { after?: string; before?: string };
    const offsetOf = (origin: string): number => Number(/:(\d+)/.exec(origin)?.[1]);
    if (firing < 0 || after === undefined || before === undefined) continue;
    bounded++;
    expect(offsetOf(after)).toBeLessThanOrEqual(firing);
    expect(offsetOf(before)).toBeGreaterThanOrEqual(firing);
  }
  expect(bounded).toBeGreaterThan(20);
});

test('a processing timer leads to the frame whose log time fired it', async () => {
  const made = pipeline('processing', { parallelism: 1 }, (env) => {
    env
      .fromSource(source('left'), { uid: 'in' })
      .keyBy(({ id }) => id)
      .process({
        processElement(_item, { timerService }) {
          timerService.registerProcessingTimeTimer(timerService.currentProcessingTime() + 500);
        },
        *onTimer(time) {
          yield time;
        },
      })
      .uid('timers')
      .sinkTo(sink());
  });
  const clock = new ManualClock();
  const world = new TestWorld(made, { clock, partitions: 1, determinism: false });
  const channel = world.plan.channels[0]?.topic ?? '';
  for (const id of ['l1', 'l2']) {
    await runWorld(world, { input: { left: [{ id, at: 0 }] }, end: false });
    clock.advance(1000);
  }

  const [hops, ...others] = await walkAll(world, 'out');

  expect(others).toEqual([]);
  expect(hops).toMatchObject([{ kind: 'output' }, { kind: 'arrival', topic: channel, offset: 1, from: 'in/left-0@1', stage: 'timers' }]);
});

test('a walk goes on over a topic between two stages, if the first writes it with lineage', async () => {
  const made = (isTraced: boolean): Pipeline =>
    pipeline('row', (env) => {
      env
        .fromSource(source('left'), { uid: 'first' })
        .filter(isOdd)
        .sinkTo(sink({ topic: 'middle', lineage: isTraced }));
      env
        .fromSource(source('middle'), { uid: 'second' })
        .map(({ id }) => ({ id }))
        .sinkTo(sink());
    });
  const worlds = await Promise.all([true, false].map((isTraced) => run(made(isTraced), { left: input.left })));
  const [traced = [], untraced = []] = await Promise.all(worlds.map((world) => walkAll(world, 'out')));

  expect(traced).toHaveLength(30);
  for (const hops of traced) {
    expect(hops).toMatchObject([{ kind: 'output' }, { kind: 'source', source: 'second' }, { kind: 'source', source: 'first' }]);
    expect(new Set(hops.map(stepOf)).size).toBe(1);
  }
  expect(untraced[0]).toMatchObject([{ kind: 'output' }, { kind: 'source', source: 'second' }]);
  expect(untraced[0]).toHaveLength(2);
});

describe('a dead letter', () => {
  const bad = pipeline('bad', { parallelism: 2, maxAttempts: 1 }, (env) => {
    env
      .fromSource(source('left'), { uid: 'in' })
      .map((item) => {
        if (item.id === 'l3') throw new Error('a message');
        return item;
      })
      .keyBy(({ id }) => id)
      .reduce((_, next) => next)
      .uid('last')
      .map((item) => {
        if (item.id === 'l5') throw new Error('a record');
        return item;
      })
      .print();
  });

  test('leads to the message or over the record that failed', async () => {
    const world = await run(bad, { left: input.left });

    const walks = await walkAll(world, world.plan.deadLetterTopic);

    expect(walks).toHaveLength(2);
    expect(walks.map((hops) => hops.map(({ kind }) => kind))).toEqual([
      ['output', 'source'],
      ['output', 'source'],
    ]);
    expect(walks.map((hops) => stepOf(hops[1]))).toEqual(['l3', 'l5']);
  });

  test('leads to the message of a source with state', async () => {
    const made = pipeline('stateful', { maxAttempts: 1 }, (env) => {
      env
        .fromSource(kafka.source({ topic: 'left', value: json<Item>(), keyedByRecordKey: true }), { uid: 'in' })
        .keyBy(({ id }) => id)
        .reduce((_, next) => next)
        .uid('last')
        .map(({ id }) => {
          if (id === 'l3') throw new Error('no');
        })
        .print();
    });
    const world = await run(made, { left: input.left });

    const [hops] = await walkAll(world, world.plan.deadLetterTopic);

    expect(hops).toMatchObject([{ kind: 'output' }, { kind: 'source', value: { value: { id: 'l3' } } }]);
    expect(hops?.[1]).not.toHaveProperty('fired');
  });
});
