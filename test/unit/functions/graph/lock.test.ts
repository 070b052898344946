import { describe, expect, test } from '@jest/globals';
import type { Environment } from '../../../../functions/api/environment.ts';
import { pipeline } from '../../../../functions/api/pipeline.ts';
import { listState, valueState } from '../../../../functions/api/state-descriptors.ts';
import { Types, type TypeWitness } from '../../../../functions/api/types.ts';
import { parseLock } from '../../../../functions/graph/lock-parser.ts';
import { formatLock, type LockFile, lockedGeneration, updateLock } from '../../../../functions/graph/lock.ts';
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

describe('versions of states', () => {
  const versioned = (version: number, type: 'string' | 'number', kind: 'value' | 'list' = 'value'): PipelinePlan =>
    planOf((env) => {
      const options = version === 1 ? {} : { version, migrate: (old: unknown) => old as never };
      const witness = Types[type] as TypeWitness<unknown>;
      const state = kind === 'value' ? valueState('held', { type: witness, ...options }) : listState('held', witness, options);
      env
        .fromCollection([1], { uid: 'numbers' })
        .keyBy((n) => n)
        .process({ state: { held: state }, processElement: () => [] })
        .uid('op')
        .print();
    });
  const lockOf = (plan: PipelinePlan): LockFile => parseLock(formatLock(updateLock(undefined, plan)));

  test('a higher one may hold another type, and is noted; the first is not', () => {
    const first = lockOf(versioned(1, 'string'));
    expect(first.pipelines['p']?.operators['op']?.states['held']).toEqual({ kind: 'value', type: 'string' });

    const second = updateLock(first, versioned(2, 'number'));
    expect(second.pipelines['p']?.operators['op']?.states['held']).toEqual({ kind: 'value', type: 'number', version: 2 });
    expect(() => updateLock(second, versioned(3, 'number'))).not.toThrow();
  });

  test('the same one may not, nor one of another kind', () => {
    const refused = expect.objectContaining({ code: 'MILLRACE_STATE_RETYPED' });

    expect(() => updateLock(lockOf(versioned(2, 'string')), versioned(2, 'number'))).toThrow(refused);
    expect(() => updateLock(lockOf(versioned(1, 'string')), versioned(1, 'number'))).toThrow('a higher version and a migrate function');
    expect(() => updateLock(lockOf(versioned(1, 'string')), versioned(2, 'string', 'list'))).toThrow(refused);
  });

  test('a lower one is refused, and a version that is none', () => {
    const lock = lockOf(versioned(3, 'string'));

    expect(() => updateLock(lock, versioned(2, 'string'))).toThrow(expect.objectContaining({ code: 'MILLRACE_STATE_VERSION' }));
    expect(() => parseLock(formatLock(lock).replace('"version": 3', '"version": 0'))).toThrow('states.held.version');
  });
});
