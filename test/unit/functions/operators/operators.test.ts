import { expect, test } from '@jest/globals';
import {
  aggregatingState,
  type DataStream,
  type KeyedStream,
  kafka,
  json,
  listState,
  mapState,
  outputTag,
  pipeline,
  reducingState,
  Types,
  valueState,
  WatermarkStrategy,
} from '../../../../functions/index.ts';
import { runPipeline, type PipelineRun } from '../../../../local/testing.ts';

interface Reading {
  readonly id: string;
  readonly at: number;
  readonly value: number;
}

const readings: Reading[] = [
  { id: 'a', at: 1000, value: 3 },
  { id: 'b', at: 2000, value: 5 },
  { id: 'a', at: 3000, value: 1 },
  { id: 'a', at: 4000, value: 1 },
  { id: 'b', at: 9000, value: 8 },
];

/** Runs the readings through a keyed stream, in order (one partition). */
async function run(build: (keyed: KeyedStream<Reading, string>) => DataStream<unknown>): Promise<PipelineRun> {
  const made = pipeline('operators', { parallelism: 1 }, (env) => {
    const source = env
      .fromSource(kafka.source({ topic: 'readings', value: json<Reading>() }), { uid: 'readings' })
      .assignTimestampsAndWatermarks(WatermarkStrategy.forMonotonousTimestamps().withTimestampAssigner((reading: Reading) => reading.at));
    build(source.keyBy(({ id }) => id)).sinkTo(kafka.sink({ topic: 'out', value: json() }));
  });
  return runPipeline(made, { input: { readings }, partitions: 1 });
}

function values(result: PipelineRun): unknown[] {
  return (result.sinks['out'] ?? []).map(({ value }) => value);
}

const row = (id: string, at: number, value: number): Reading => ({ id, at, value });

test('count gives a running count a key', async () => {
  const counted = values(await run((keyed) => keyed.count().uid('n')));

  expect(counted).toEqual([
    { key: 'a', count: 1 },
    { key: 'b', count: 1 },
    { key: 'a', count: 2 },
    { key: 'a', count: 3 },
    { key: 'b', count: 2 },
  ]);
});

test('sum, min and max keep the other fields of the first record', async () => {
  expect(values(await run((keyed) => keyed.sum('value').uid('s')))).toEqual([
    row('a', 1000, 3),
    row('b', 2000, 5),
    row('a', 1000, 4),
    row('a', 1000, 5),
    row('b', 2000, 13),
  ]);
  expect(values(await run((keyed) => keyed.min('value').uid('s')))).toEqual([
    row('a', 1000, 3),
    row('b', 2000, 5),
    row('a', 1000, 1),
    row('a', 1000, 1),
    row('b', 2000, 5),
  ]);
  expect(values(await run((keyed) => keyed.max('value').uid('s')))).toEqual([
    row('a', 1000, 3),
    row('b', 2000, 5),
    row('a', 1000, 3),
    row('a', 1000, 3),
    row('b', 2000, 8),
  ]);
});

test('minBy and maxBy give whole records, the first among equals', async () => {
  expect(values(await run((keyed) => keyed.minBy('value').uid('m')))).toEqual([
    row('a', 1000, 3),
    row('b', 2000, 5),
    row('a', 3000, 1),
    row('a', 3000, 1),
    row('b', 2000, 5),
  ]);
  expect(values(await run((keyed) => keyed.maxBy('value').uid('m')))).toEqual([
    row('a', 1000, 3),
    row('b', 2000, 5),
    row('a', 1000, 3),
    row('a', 1000, 3),
    row('b', 9000, 8),
  ]);
});

test('reduce emits every intermediate result', async () => {
  const reduced = await run((keyed) => keyed.reduce((left, right) => ({ ...right, value: left.value * right.value })).uid('r'));

  expect(values(reduced)).toEqual([row('a', 1000, 3), row('b', 2000, 5), row('a', 3000, 3), row('a', 4000, 3), row('b', 9000, 40)]);
});

test('all kinds of state work under their key', async () => {
  const result = await run((keyed) =>
    keyed
      .process({
        state: {
          last: valueState('last', { type: Types.number }),
          all: listState('all', Types.number),
          byValue: mapState('byValue', Types.number, Types.number),
          highest: reducingState('highest', { reduce: (a: number, b: number) => Math.max(a, b) }),
          mean: aggregatingState('mean', {
            createAccumulator: () => ({ n: 0, sum: 0 }),
            add: (held, value: number) => ({ n: held.n + 1, sum: held.sum + value }),
            getResult: ({ n, sum }) => sum / n,
          }),
        },
        processElement({ value }, { key, state }) {
          const before = state.last.value() ?? null;
          state.last.update(value);
          state.all.add(value);
          state.byValue.put(value, (state.byValue.get(value) ?? 0) + 1);
          state.highest.add(value);
          state.mean.add(value);
          return [
            {
              key,
              before,
              all: state.all.get(),
              byValue: [...state.byValue.entries()],
              highest: state.highest.get(),
              mean: state.mean.get(),
            },
          ];
        },
      })
      .uid('states'),
  );

  expect(values(result).at(-2)).toEqual({
    key: 'a',
    before: 1,
    all: [3, 1, 1],
    byValue: [
      [1, 2],
      [3, 1],
    ],
    highest: 3,
    mean: 5 / 3,
  });
  expect(values(result).at(-1)).toEqual({
    key: 'b',
    before: 5,
    all: [5, 8],
    byValue: [
      [5, 1],
      [8, 1],
    ],
    highest: 8,
    mean: 6.5,
  });
});

test('changing a value that was read changes no state until it is updated', async () => {
  const result = await run((keyed) =>
    keyed
      .process({
        state: { held: valueState('held', { default: { n: 0 } }) },
        processElement(_reading, { state }) {
          const held = state.held.value();
          held.n++;
          const seen = state.held.value().n;
          state.held.update(held);
          held.n += 100;
          return [{ seen, stored: state.held.value().n }];
        },
      })
      .uid('copies'),
  );

  expect(values(result)[2]).toEqual({ seen: 1, stored: 2 });
});

test('event-time timers fire in order, once, and at the latest at the end of the input', async () => {
  const result = await run((keyed) =>
    keyed
      .process({
        state: {},
        processElement({ at }, { timerService }) {
          timerService.registerEventTimeTimer(at + 1500);
          timerService.registerEventTimeTimer(at + 1500);
          if (at === 3000) timerService.deleteEventTimeTimer(2500);
        },
        onTimer: (time, { key, timeDomain, timestamp }) => [{ key, time, timeDomain, timestamp }],
      })
      .uid('timers'),
  );

  const fired = (values(result) as { key: string; time: number }[]).map(({ key, time }) => `${key}${time}`);
  expect(fired).toEqual(['a2500', 'b3500', 'a4500', 'a5500', 'b10500'].filter((name) => fired.includes(name)));
  expect(fired.slice(-3)).toEqual(['a4500', 'a5500', 'b10500']);
  expect(values(result).at(-1)).toEqual({ key: 'b', time: 10500, timeDomain: 'event', timestamp: 10500 });
});

test('side outputs go their own way', async () => {
  const odd = outputTag('odd', Types.number);
  const made = pipeline('sides', { parallelism: 1 }, (env) => {
    const split = env.fromElements(1, 2, 3).process({
      processElement(value, ctx) {
        if (value % 2 === 1) ctx.output(odd, value);
        else return [value];
      },
    });
    split.sinkTo(kafka.sink({ topic: 'even', value: json() }));
    split.getSideOutput(odd).sinkTo(kafka.sink({ topic: 'odd', value: json() }));
  });

  const { sinks } = await runPipeline(made);

  expect(sinks['even']?.map(({ value }) => value)).toEqual([2]);
  expect(sinks['odd']?.map(({ value }) => value)).toEqual([1, 3]);
});

test('a record that throws leaves no trace but its dead letter', async () => {
  const result = await run((keyed) =>
    keyed
      .process({
        state: { sum: valueState('sum', { default: 0 }) },
        *processElement({ value, at }, { state, timerService }) {
          const sum = state.sum.value() + value;
          state.sum.update(sum);
          timerService.registerEventTimeTimer(at + 100_000);
          yield { sum };
          if (at === 3000) throw new Error('poison');
        },
        onTimer: (time) => [{ sum: -time }],
      })
      .uid('poisoned'),
  );

  const sums = (values(result) as { sum: number }[]).flatMap(({ sum }) => (sum > 0 ? sum : []));
  const times = (values(result) as { sum: number }[]).flatMap(({ sum }) => (sum < 0 ? -sum : []));
  expect(sums).toEqual([3, 5, 4, 13]);
  expect(times).toEqual([101_000, 102_000, 104_000, 109_000]);
  expect(result.deadLetters).toMatchObject([{ code: 'MILLRACE_USER_FUNCTION', error: 'poison', stage: 'poisoned' }]);
});

test('a frame in which every record fails gets through, whatever the errors say', async () => {
  const many = 3000;
  const made = pipeline('all-poison', { parallelism: 1, batchSize: 5000 }, (env) => {
    env
      .fromCollection(Array.from({ length: many }, (_, i) => i))
      .keyBy(() => 'one')
      .process({
        state: {},
        processElement: (value): number[] => {
          throw new Error(`${value} ${'y'.repeat(1500)}`);
        },
      })
      .uid('fails')
      .sinkTo(kafka.sink({ topic: 'out', value: json() }));
  });

  const { deadLetters, invocations } = await runPipeline(made, { determinism: false });

  expect(new Set(deadLetters.map(({ value }) => (value as { value: number }).value)).size).toBe(many);
  expect(deadLetters[0]?.error).toMatch(/^0 yyy/);
  expect(invocations['fails']).toBeLessThan(10);
});

test('a record too large for a dead letter ends as a cut one', async () => {
  const made = pipeline('large', { parallelism: 1 }, (env) => {
    env
      .fromSource(kafka.source({ topic: 'texts', value: json<string>() }), { uid: 'texts' })
      .map((text): string => {
        throw new Error(text);
      })
      .sinkTo(kafka.sink({ topic: 'out', value: json() }));
  });

  const { deadLetters } = await runPipeline(made, { input: { texts: ['x'.repeat(1_048_000)] } });

  expect(deadLetters).toHaveLength(1);
});

test('random numbers and ids are those of the record, in every run', async () => {
  const draw = async (): Promise<unknown[]> =>
    values(await run((keyed) => keyed.process({ processElement: (_reading, ctx) => [[ctx.random(), ctx.uuid()]], state: {} }).uid('draw')));

  const first = (await draw()) as [number, string][];

  expect(await draw()).toEqual(first);
  expect(new Set(first.flat()).size).toBe(10);
  for (const [number, id] of first) {
    expect(number).toBeGreaterThanOrEqual(0);
    expect(number).toBeLessThan(1);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
});

test('watermarks of a function are those that records bring, and a bad one fails its record', async () => {
  interface Event {
    readonly at: number;
    readonly over?: number | null;
  }
  const made = pipeline('punctuated', { parallelism: 1, watermarkIntervalMs: 1 }, (env) => {
    env
      .fromSource(kafka.source({ topic: 'events', value: json<Event>() }), { uid: 'events' })
      .assignTimestampsAndWatermarks(
        WatermarkStrategy.custom(({ over }: Event) => (over === null ? NaN : over)).withTimestampAssigner(({ at }: Event) => at),
      )
      .keyBy(() => 'all')
      .process({ state: {}, processElement: ({ at }, { timerService }) => [[at, timerService.currentWatermark()]] })
      .uid('seen')
      .sinkTo(kafka.sink({ topic: 'out', value: json() }));
  });
  const events: Event[] = [{ at: 5 }, { at: 50, over: 10 }, { at: 8 }, { at: 9, over: 7 }, { at: 20, over: null }, { at: 30 }];

  const result = await runPipeline(made, { input: { events }, partitions: 1 });

  expect(values(result)).toEqual([
    [5, null], // JSON has no infinity
    [50, null],
    [8, 10],
    [9, 10],
    [30, 10],
  ]);
  expect(result.deadLetters.map(({ code }) => code)).toEqual(['MILLRACE_TIMESTAMP_INVALID']);
});
