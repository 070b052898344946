import { describe, expect, test } from '@jest/globals';
import { DEFAULT_OPTIONS, resolveOptions, toSettings } from '../../../../functions/graph/settings.ts';

describe('resolveOptions', () => {
  test('fills in the defaults of the design', () => {
    expect(resolveOptions({})).toEqual({
      parallelism: 4,
      maxParallelism: 128,
      stateFragments: 16,
      maxAttempts: 3,
      onError: 'dead-letter',
      watermarkIntervalMs: 200,
      frameBytes: 262_144,
      batchSize: 1000,
      batchWindowMs: 500,
      partialBatchResponse: false,
      timeoutMs: 60_000,
      memoryMb: 512,
      maxRetries: -1,
    });
  });

  test('lowers its own defaults, but no given value, to maxParallelism', () => {
    expect(resolveOptions({ maxParallelism: 2 })).toMatchObject({ parallelism: 2, stateFragments: 2 });
    expect(() => resolveOptions({ maxParallelism: 2, parallelism: 3 })).toThrow(
      expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID' }),
    );
  });

  test('takes undefined for not given', () => {
    expect(resolveOptions({ batchSize: undefined } as never)).toEqual(DEFAULT_OPTIONS);
  });
});

test('settings are the options without what the plan says elsewhere', () => {
  const settings = toSettings(DEFAULT_OPTIONS);

  expect(Object.keys(settings)).toEqual(
    Object.keys(DEFAULT_OPTIONS).filter((name) => !['parallelism', 'maxParallelism', 'stateFragments'].includes(name)),
  );
});
