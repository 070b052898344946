import { describe, expect, test } from '@jest/globals';
import type { Environment } from '../../../../functions/api/environment.ts';
import { pipeline } from '../../../../functions/api/pipeline.ts';
import { parseLock } from '../../../../functions/graph/lock-parser.ts';
import { formatLock, lockedGeneration, updateLock } from '../../../../functions/graph/lock.ts';
import { planPipeline } from '../../../../functions/graph/plan.ts';
import type { PipelinePlan } from '../../../../functions/graph/stage-plan.ts';

function planOf(build: (env: Environment) => void, name = 'p'): PipelinePlan {
  return planPipeline(pipeline(name, build).build());
}

const counting = (env: Environment): void => {
  env
    .fromCollection([1], { uid: 'numbers' })
    .keyBy((n) => n)
    .count()
    .uid('count')
    .print();
};

describe('updateLock', () => {
  test('locks sources and states of a new pipeline', () => {
    expect(updateLock(undefined, planOf(counting)).pipelines).toEqual({
      p: {
        generation: 1,
        maxParallelism: 128,
        stateFragments: 16,
        operators: {
          numbers: { kind: 'source', stage: 'numbers', states: {} },
          count: { kind: 'aggregate', stage: 'count', states: { $count: { kind: 'value', type: 'number' } } },
        },
      },
    });
  });

  test('leaves other pipelines of the file alone', () => {
    const first = updateLock(undefined, planOf(counting, 'first'));

    expect(Object.keys(updateLock(first, planOf(counting, 'second')).pipelines)).toEqual(['first', 'second']);
  });

  test('does not guard elements in the file, nor what keeps nothing', () => {
    const lock = updateLock(
      undefined,
      planOf((env) => {
        env
          .fromElements(1)
          .map((n) => n)
          .uid('same')
          .print();
      }),
    );

    expect(lock.pipelines['p']?.operators).toEqual({});
  });

  test('guards an operator that has only timers', () => {
    const lock = updateLock(
      undefined,
      planOf((env) => {
        env
          .fromElements(1)
          .keyBy((n) => n)
          .process({ processElement: () => undefined, onTimer: () => undefined })
          .uid('timers')
          .print();
      }),
    );

    expect(lock.pipelines['p']?.operators).toEqual({ timers: { kind: 'process', stage: 'timers', states: {} } });
  });

  test('accepts the same plan again, in any generation', () => {
    const plan = planOf(counting);
    const lock = updateLock(undefined, plan);

    expect(updateLock(lock, plan)).toEqual(lock);
    expect(lockedGeneration(lock, 'p')).toBe(1);
    expect(lockedGeneration(lock, 'toString')).toBe(1);
    expect(lockedGeneration(undefined, 'p')).toBe(1);
  });
});

describe('parseLock', () => {
  const lock = updateLock(undefined, planOf(counting));

  test('reads what formatLock writes', () => {
    expect(parseLock(formatLock(lock))).toEqual(lock);
  });

  test('formatLock writes the same text for the same lock, whatever the order of its keys', () => {
    const { pipelines, version } = lock;

    expect(formatLock({ pipelines, version })).toBe(formatLock(lock));
    expect(formatLock(lock).endsWith('}\n')).toBe(true);
  });

  test.each([
    ['', 'Unexpected end'],
    ['[]', 'the file must be an object'],
    ['{}', 'version is undefined'],
    ['{"version":2}', 'version is 2'],
    ['{"version":1}', 'pipelines must be an object'],
    ['{"version":1,"pipelines":{"p":null}}', 'pipelines.p must be an object'],
    ['{"version":1,"pipelines":{"p":{"generation":1,"maxParallelism":"8"}}}', 'pipelines.p.maxParallelism must be a whole number'],
    [
      '{"version":1,"pipelines":{"p":{"generation":1,"maxParallelism":8,"stateFragments":8,"operators":{"a":{"kind":1}}}}}',
      'pipelines.p.operators.a.kind must be text',
    ],
    [
      '{"version":1,"pipelines":{"p":{"generation":1,"maxParallelism":8,"stateFragments":8,"operators":{"a":{"kind":"b","stage":"c","states":{"d":{"kind":"e"}}}}}}}',
      'pipelines.p.operators.a.states.d.kind must be one of value, list',
    ],
  ])('refuses %p and says where', (text, message) => {
    expect(() => parseLock(text)).toThrow(
      expect.objectContaining({ code: 'MILLRACE_LOCK_INVALID', message: expect.stringContaining(message) }),
    );
  });
});
