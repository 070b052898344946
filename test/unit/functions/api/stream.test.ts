import { describe, expect, test } from '@jest/globals';
import type { Environment } from '../../../../functions/api/environment.ts';
import { outputTag } from '../../../../functions/api/output-tag.ts';
import { pipeline } from '../../../../functions/api/pipeline.ts';
import { valueState } from '../../../../functions/api/state-descriptors.ts';
import { Types } from '../../../../functions/api/types.ts';
import { WatermarkStrategy } from '../../../../functions/api/watermark-strategy.ts';
import { printSink } from '../../../../functions/connectors/print/sink.ts';
import type { LogicalNode, NodeOf } from '../../../../functions/graph/logical-graph.ts';

function nodesOf(build: (env: Environment) => void): readonly LogicalNode[] {
  return pipeline('p', build).build().nodes;
}

function nodeOf<K extends LogicalNode['kind']>(kind: K, build: (env: Environment) => void): NodeOf<K> {
  const found = nodesOf(build).find((node) => node.kind === kind);
  if (found === undefined) throw new Error(`no ${kind}`);
  return found as NodeOf<K>;
}

describe('recording', () => {
  test('gives nodes ids in the order of calls, each with its inputs', () => {
    const nodes = nodesOf((env) => {
      const a = env.fromElements(1);
      const b = env.fromElements(2);
      a.union(b)
        .filter((n) => n > 0)
        .print();
    });

    expect(nodes.map(({ id, kind, inputs }) => [id, kind, inputs.map((edge) => edge.node)])).toEqual([
      [0, 'source', []],
      [1, 'source', []],
      [2, 'union', [0, 1]],
      [3, 'filter', [2]],
      [4, 'sink', [3]],
    ]);
  });

  test('labels the operator just added and leaves the others alone', () => {
    const nodes = nodesOf((env) => {
      const source = env.fromElements(1).name('numbers');
      source
        .map((n) => n)
        .uid('same')
        .name('The same')
        .setParallelism(2);
      source.print().uid('out').name('Out').setParallelism(3);
    });

    expect(nodes.map(({ uid, name, parallelism }) => ({ uid, name, parallelism }))).toEqual([
      { uid: 'elements-1', name: 'numbers', parallelism: undefined },
      { uid: 'same', name: 'The same', parallelism: 2 },
      { uid: 'out', name: 'Out', parallelism: 3 },
    ]);
  });

  test('numbers sources of elements, unless they have a uid', () => {
    const nodes = nodesOf((env) => {
      env.fromElements(1).print();
      env.fromCollection(new Set([2]), { uid: 'two', parallelism: 2 }).print();
      env.fromElements(3).print();
    });

    expect(nodes.filter(({ kind }) => kind === 'source').map(({ uid, parallelism }) => [uid, parallelism])).toEqual([
      ['elements-1', undefined],
      ['two', 2],
      ['elements-3', undefined],
    ]);
  });

  test('reads a side output under the name of its tag', () => {
    const late = outputTag('late', Types.number);
    const nodes = nodesOf((env) => {
      const main = env.fromElements(1).process({ processElement: (n) => [n] });
      main.getSideOutput(late).print();
      main.print();
    });

    expect(nodes.slice(2).map(({ inputs }) => inputs)).toEqual([[{ node: 1, side: 'late' }], [{ node: 1 }]]);
  });

  test('records what each keyed operator does', () => {
    const nodes = nodesOf((env) => {
      const keyed = env.fromElements({ a: 1, b: 'x' }).keyBy(({ b }) => b);
      keyed.count().uid('count').print();
      keyed.sum('a').uid('sum').print();
      keyed.min('a').uid('min').print();
      keyed.max('a').uid('max').print();
      keyed.minBy('b').uid('min-by').print();
      keyed.maxBy('b').uid('max-by').print();
    });

    expect(nodes.flatMap((node) => (node.kind === 'aggregate' ? [node.aggregate] : []))).toEqual([
      { of: 'count' },
      { of: 'sum', field: 'a' },
      { of: 'min', field: 'a' },
      { of: 'max', field: 'a' },
      { of: 'minBy', field: 'b' },
      { of: 'maxBy', field: 'b' },
    ]);
  });

  test('keeps the functions, with the object that they belong to', () => {
    class Doubler {
      factor = 2;
      *processElement(n: number): Generator<number> {
        yield n * this.factor;
      }
      *onTimer(): Generator<number> {
        yield this.factor;
      }
    }
    const { process } = nodeOf('process', (env) => {
      env
        .fromElements(1)
        .keyBy((n) => n)
        .process(new Doubler())
        .uid('double')
        .print();
    });

    expect([...(process.processElement(4, {} as never) ?? [])]).toEqual([8]);
    expect([...(process.onTimer?.(0, {} as never) ?? [])]).toEqual([2]);
  });

  test('hands states to the plan by the names of their properties', () => {
    const { process } = nodeOf('process', (env) => {
      env
        .fromElements(1)
        .keyBy((n) => n)
        .process({ state: { seen: valueState('has-seen', { default: false }) }, processElement: () => undefined })
        .uid('seen')
        .print();
    });

    expect(Object.entries(process.states).map(([property, { name, kind, type }]) => [property, name, kind, type])).toEqual([
      ['seen', 'has-seen', 'value', 'boolean'],
    ]);
    expect(process.onTimer).toBeUndefined();
  });

  test('takes watermark strategies and sinks as they are', () => {
    const strategy = WatermarkStrategy.forMonotonousTimestamps();
    const sink = printSink();
    const build = (env: Environment): void => {
      env.fromElements(1).assignTimestampsAndWatermarks(strategy).sinkTo(sink);
    };

    expect(nodeOf('watermarks', build).strategy).toBe(strategy);
    expect(nodeOf('sink', build).sink).toBe(sink);
  });
});

describe('what JavaScript users get wrong', () => {
  const wrong: readonly [string, string, (env: Environment) => unknown][] = [
    ['map without a function', 'MILLRACE_OPTION_INVALID', (env) => env.fromElements(1).map(undefined as never)],
    ['filter with text', 'MILLRACE_OPTION_INVALID', (env) => env.fromElements(1).filter('n > 0' as never)],
    ['flatMap with null', 'MILLRACE_OPTION_INVALID', (env) => env.fromElements(1).flatMap(null as never)],
    ['keyBy with a field', 'MILLRACE_OPTION_INVALID', (env) => env.fromElements({ a: 1 }).keyBy('a' as never)],
    ['process without processElement', 'MILLRACE_OPTION_INVALID', (env) => env.fromElements(1).process({} as never)],
    [
      'timers without a key',
      'MILLRACE_STATE_WITHOUT_KEY',
      (env) => env.fromElements(1).process({ processElement: () => undefined, onTimer: () => undefined } as never),
    ],
    ['sinkTo without a sink', 'MILLRACE_OPTION_INVALID', (env) => env.fromElements(1).sinkTo(undefined as never)],
    ['union with something else', 'MILLRACE_STREAM_FOREIGN', (env) => env.fromElements(1).union([] as never)],
    ['an empty uid', 'MILLRACE_UID_INVALID', (env) => env.fromElements(1).uid('')],
    ['parallelism 0', 'MILLRACE_OPTION_INVALID', (env) => env.fromElements(1).setParallelism(0)],
    ['fromSource without a source', 'MILLRACE_OPTION_INVALID', (env) => env.fromSource(undefined as never, { uid: 'a' })],
    [
      'fromSource without a uid',
      'MILLRACE_UID_MISSING',
      (env) => env.fromSource({ kind: 'topic', topics: ['a'] } as never, undefined as never),
    ],
  ];

  test.each(wrong)('%s is %s', (_what, code, build) => {
    expect(() => pipeline('p', build).build()).toThrow(expect.objectContaining({ code }));
  });
});
