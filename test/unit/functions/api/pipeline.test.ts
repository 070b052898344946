import { describe, expect, test } from '@jest/globals';
import { isPipeline, pipeline, type BuildFunction } from '../../../../functions/api/pipeline.ts';
import type { PipelineOptions } from '../../../../functions/graph/logical-graph.ts';

const printOne: BuildFunction = (env) => {
  env.fromElements(1).print();
};

function code(expected: string): Error {
  return expect.objectContaining({ code: expected }) as unknown as Error;
}

describe('pipeline', () => {
  test('runs nothing before build', () => {
    const defined = pipeline('p', () => {
      throw new Error('ran');
    });

    expect(isPipeline(defined)).toBe(true);
    expect(defined.name).toBe('p');
    expect(Object.isFrozen(defined)).toBe(true);
    expect(() => defined.build()).toThrow(code('MILLRACE_BUILD_FAILED'));
  });

  test('is told from anything else by its brand', () => {
    expect(isPipeline({ name: 'p', options: {}, build: printOne })).toBe(false);
    expect(isPipeline(null)).toBe(false);
    expect(isPipeline(pipeline)).toBe(false);
  });

  test('builds the same graph every time', () => {
    const defined = pipeline('p', { parallelism: 2 }, (env) => {
      env
        .fromElements(1, 2)
        .map((n) => n + 1)
        .print();
    });
    const shape = (): string => JSON.stringify(defined.build());

    expect(shape()).toBe(shape());
    expect(defined.build().nodes.map(({ kind }) => kind)).toEqual(['source', 'map', 'sink']);
  });

  test.each(['', 'a b', 'a.b', 'ä', 'x'.repeat(65)])('refuses the name %p', (name) => {
    expect(() => pipeline(name, printOne)).toThrow(code('MILLRACE_OPTION_INVALID'));
  });

  test.each<[PipelineOptions, string]>([
    [{ parallelism: 0 }, 'option parallelism is 0: give a whole number from 1 to 32768'],
    [{ parallelism: 1.5 }, 'option parallelism is 1.5'],
    [{ parallelism: 200 }, 'option parallelism is 200: give at most maxParallelism, which is 128'],
    [{ maxParallelism: 8, stateFragments: 16 }, 'option stateFragments is 16: give at most maxParallelism, which is 8'],
    [{ maxAttempts: 0 }, 'option maxAttempts is 0'],
    [{ onError: 'ignore' as 'fail' }, `option onError is "ignore": give 'dead-letter' or 'fail'`],
    [{ batchSize: 10_001 }, 'option batchSize is 10001: give a whole number from 1 to 10000'],
    [{ batchWindowMs: -1 }, 'option batchWindowMs is -1'],
    [{ timeoutMs: 900_000 }, 'option timeoutMs is 900000: give a whole number from 1000 to 840000'],
    [{ memoryMb: NaN }, 'option memoryMb is NaN'],
    [{ partialBatchResponse: 1 as unknown as boolean }, 'option partialBatchResponse is 1: give true or false'],
    [{ paralellism: 4 } as PipelineOptions, "there is no pipeline option 'paralellism'; there are parallelism, maxParallelism"],
  ])('refuses the options %p', (options, message) => {
    expect(() => pipeline('p', options, printOne)).toThrow(
      expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID', message: expect.stringContaining(message) }),
    );
  });

  test('refuses to be defined without a build function', () => {
    expect(() => pipeline('p', {} as BuildFunction)).toThrow(code('MILLRACE_OPTION_INVALID'));
  });

  test('keeps what the build function threw as cause', () => {
    const thrown = new TypeError('no such table');

    expect(() =>
      pipeline('p', () => {
        throw thrown;
      }).build(),
    ).toThrow(expect.objectContaining({ code: 'MILLRACE_BUILD_FAILED', cause: thrown }));
  });

  test('refuses a stream that is used after the build', () => {
    const leaked: (() => void)[] = [];
    pipeline('p', (env) => {
      const numbers = env.fromElements(1);
      leaked.push(() => numbers.print());
      leaked.push(() => numbers.uid('late'));
      numbers.print();
    }).build();

    for (const use of leaked) expect(use).toThrow(code('MILLRACE_STREAM_FOREIGN'));
  });
});

describe('env.param', () => {
  const twoParams = pipeline('p', (env) => {
    env.param('topic');
    env.param('limit', { default: '10' });
    printOne(env);
  });

  test('records given values and defaults in the graph, sorted', () => {
    expect(JSON.stringify(twoParams.build({ topic: 'orders' }).params)).toBe('{"limit":"10","topic":"orders"}');
    expect(twoParams.build({ topic: 'orders', limit: '' }).params).toEqual({ topic: 'orders', limit: '' });
  });

  test('gives the same graph when built from the recorded values', () => {
    const first = twoParams.build({ topic: 'orders' });

    expect(twoParams.build(first.params).params).toEqual(first.params);
  });

  test('says how to give what is missing', () => {
    expect(() => twoParams.build()).toThrow(
      expect.objectContaining({ code: 'MILLRACE_PARAM_MISSING', message: expect.stringContaining('--param topic=') }),
    );
  });

  test('does not mistake a property of every object for a parameter', () => {
    const odd = pipeline('p', (env) => {
      env.param('constructor');
    });

    expect(() => odd.build()).toThrow(code('MILLRACE_PARAM_MISSING'));
  });

  test('refuses a parameter that the pipeline does not read', () => {
    expect(() => twoParams.build({ topic: 'a', limt: '3' })).toThrow(
      expect.objectContaining({ code: 'MILLRACE_PARAM_UNKNOWN', message: expect.stringContaining("'limt'; it reads: limit, topic") }),
    );
  });
});
