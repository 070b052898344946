import { describe, expect, test } from '@jest/globals';
import type { Environment } from '../../../../functions/api/environment.ts';
import { pipeline } from '../../../../functions/api/pipeline.ts';
import { valueState } from '../../../../functions/api/state-descriptors.ts';
import { kafkaSink } from '../../../../functions/connectors/kafka/sink.ts';
import { kafkaSource } from '../../../../functions/connectors/kafka/source.ts';
import { json } from '../../../../functions/codec/json.ts';
import type { LogicalGraph, LogicalNode } from '../../../../functions/graph/logical-graph.ts';
import { planPipeline } from '../../../../functions/graph/plan.ts';
import type { PipelinePlan } from '../../../../functions/graph/stage-plan.ts';

function planOf(build: (env: Environment) => void): PipelinePlan {
  return planPipeline(pipeline('p', build).build());
}

function handMade(nodes: readonly object[]): LogicalGraph {
  return { pipeline: 'p', options: {}, params: {}, nodes: nodes as readonly LogicalNode[] };
}

const source = { id: 0, kind: 'source', inputs: [], uid: 'a', source: { kind: 'feed', bounded: true } };
const sink = (id: number, input: number): object => ({ id, kind: 'sink', inputs: [{ node: input }], sink: { kind: 'print' } });

describe('names', () => {
  test('of topics and groups carry namespace, pipeline and generation', () => {
    const graph = pipeline('flights', (env) => {
      env
        .fromCollection([1], { uid: 'numbers' })
        .keyBy((n) => n)
        .count()
        .uid('count')
        .print();
    }).build();

    const plan = planPipeline(graph, { namespace: 'test', generation: 7 });

    expect(plan).toMatchObject({ namespace: 'test', generation: 7, deadLetterTopic: 'test.flights.dlq' });
    expect(plan.stages.map(({ group }) => group)).toEqual(['test.flights.numbers', 'test.flights.count']);
    expect(plan.channels).toEqual([{ id: 'count', topic: 'test.flights.count.g7', hop: 'kafka', partitions: 4 }]);
    expect(plan.feeds).toEqual([{ uid: 'numbers', node: 0, topic: 'test.flights.numbers', partitions: 4 }]);
  });

  test('a namespace that cannot be part of a topic is refused', () => {
    const graph = pipeline('p', (env) => env.fromElements(1).print()).build();

    expect(() => planPipeline(graph, { namespace: 'a.b' })).toThrow(expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID' }));
  });

  test('a stage is named after its state, so that naming something else in it moves no state', () => {
    const build = (label?: string) => (env: Environment) => {
      const parsed = env
        .fromElements(1)
        .keyBy((n) => n)
        .map((n) => n);
      if (label !== undefined) parsed.name(label);
      parsed.print();
      env
        .fromElements(2)
        .keyBy((n) => n)
        .count()
        .uid('count')
        .map((n) => n)
        .name(label ?? 'x')
        .print();
    };

    expect(planOf(build()).stages.map(({ id }) => id)).toEqual(['elements-1', 'map-2', 'elements-2', 'count']);
    expect(planOf(build('Parsed')).stages.map(({ id }) => id)).toEqual(['elements-1', 'parsed', 'elements-2', 'count']);
  });

  test('a stage that only has a name gives way to a uid', () => {
    const plan = planOf((env) => {
      env
        .fromElements(1)
        .hop('kafka')
        .map((n) => n)
        .name('numbers')
        .print();
      env.fromCollection([1], { uid: 'numbers' }).print();
    });

    expect(plan.stages.map(({ id }) => id)).toEqual(['elements-1', 'numbers-2', 'numbers']);
    expect(plan.feeds.map(({ topic }) => topic)).toEqual(['default.p.elements-1', 'default.p.numbers']);
  });
});

describe('options', () => {
  test('of the command line go before those of the file', () => {
    const graph = pipeline('p', { parallelism: 2, batchSize: 5 }, (env) => env.fromElements(1).print()).build();

    const plan = planPipeline(graph, { overrides: { parallelism: 3 } });

    expect(plan.stages[0]?.parallelism).toBe(3);
    expect(plan.settings.batchSize).toBe(5);
  });

  test('are checked wherever they come from', () => {
    const graph = pipeline('p', (env) => env.fromElements(1).print()).build();

    expect(() => planPipeline(graph, { overrides: { parallelism: 129 } })).toThrow(
      expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID' }),
    );
  });
});

describe('fences', () => {
  test('a source stage gets one only if it keeps state or timers', () => {
    const build = (fn: object) => (env: Environment) => {
      env
        .fromSource(kafkaSource({ topic: 't', value: json(), keyedByRecordKey: true }), { uid: 'a' })
        .keyBy((value) => String(value))
        .process({ processElement: (value: unknown) => [value], ...fn })
        .uid('b')
        .print();
    };

    expect(planOf(build({})).stages.map(({ fenced }) => fenced)).toEqual([false]);
    expect(planOf(build({ state: { n: valueState('n', { default: 0 }) } })).stages.map(({ fenced }) => fenced)).toEqual([true]);
    expect(planOf(build({ onTimer: () => undefined })).stages.map(({ fenced }) => fenced)).toEqual([true]);
  });

  test('every stage behind a channel has one', () => {
    const plan = planOf((env) => {
      env.fromElements(1).hop('kafka').print();
    });

    expect(plan.stages.map(({ fenced }) => fenced)).toEqual([false, true]);
  });
});

describe('keyedByRecordKey', () => {
  const readings = (env: Environment) =>
    env.fromSource(kafkaSource({ topic: 't', value: json<string>(), keyedByRecordKey: true }), { uid: 'a' });

  test('spares the hop, and a second keyBy with the same function, too', () => {
    const key = (value: string): string => value;
    const plan = planOf((env) => {
      const stream = readings(env);
      stream.keyBy(key).count().uid('b').print();
      stream
        .keyBy(key)
        .reduce((left) => left)
        .uid('c')
        .print();
    });

    expect(plan.stages).toHaveLength(1);
    expect(plan.stages[0]?.operators.map(({ kind, keyed }) => [kind, keyed])).toEqual([
      ['keyBy', false],
      ['aggregate', true],
      ['sink', false],
      ['keyBy', false],
      ['reduce', true],
      ['sink', false],
    ]);
  });

  test('is used up by the state that follows', () => {
    const plan = planOf((env) => {
      readings(env)
        .keyBy((value) => value)
        .count()
        .uid('b')
        .keyBy(({ key }) => key)
        .count()
        .uid('c')
        .print();
    });

    expect(plan.stages.map(({ id }) => id)).toEqual(['a', 'c']);
  });

  test('does not hold against a parallelism of the state', () => {
    const plan = planOf((env) => {
      readings(env)
        .keyBy((value) => value)
        .count()
        .uid('b')
        .setParallelism(2)
        .print();
    });

    expect(plan.stages.map(({ parallelism }) => parallelism)).toEqual([null, 2]);
  });
});

describe('hops', () => {
  test('a parallelism set on a hop or union holds for what follows, even if that is a keyBy', () => {
    const plan = planOf((env) => {
      env
        .fromElements(1)
        .hop('kafka')
        .setParallelism(7)
        .keyBy((n) => n)
        .count()
        .uid('count')
        .print();
    });

    expect(plan.stages.map(({ id, parallelism }) => [id, parallelism])).toEqual([
      ['elements-1', 4],
      ['hop-1', 7],
      ['count', 4],
    ]);
    expect(plan.stages[1]?.outputs).toMatchObject([{ from: { input: 0 }, partitioner: 'key' }]);
  });

  test('a parallelism equal to that of the stage is no change', () => {
    const plan = planOf((env) => {
      env
        .fromElements(1)
        .map((n) => n)
        .setParallelism(4)
        .print();
    });

    expect(plan.stages).toHaveLength(1);
  });
});

test('topics of sinks are listed once, sorted', () => {
  const plan = planOf((env) => {
    const numbers = env.fromElements(1);
    for (const topic of ['b', 'a', 'b']) numbers.sinkTo(kafkaSink({ topic, value: json() }));
  });

  expect(plan.sinkTopics).toEqual(['a', 'b']);
});

describe('graphs made by hand', () => {
  test.each([
    [
      'a loop',
      'MILLRACE_CYCLE',
      [source, { id: 1, kind: 'map', inputs: [{ node: 2 }] }, { id: 2, kind: 'map', inputs: [{ node: 1 }] }, sink(3, 2)],
    ],
    ['an edge from nowhere', 'MILLRACE_STREAM_FOREIGN', [source, sink(1, 5)]],
    [
      'state without a key',
      'MILLRACE_STATE_WITHOUT_KEY',
      [source, { id: 1, kind: 'aggregate', inputs: [{ node: 0 }], uid: 'b', aggregate: { of: 'count' } }, sink(2, 1)],
    ],
    ['a source without uid', 'MILLRACE_UID_MISSING', [{ ...source, uid: undefined }, sink(1, 0)]],
    ['no nodes', 'MILLRACE_PIPELINE_EMPTY', []],
  ])('%s is refused', (_what, code, nodes) => {
    expect(() => planPipeline(handMade(nodes))).toThrow(expect.objectContaining({ code }));
  });
});
