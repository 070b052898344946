import { MillraceError } from '../shared/errors.ts';
import type { PipelineOptions } from './logical-graph.ts';
import type { PlanSettings } from './stage-plan.ts';

/** The options of a pipeline where neither its file nor the command line says otherwise. */
export const DEFAULT_OPTIONS: Required<PipelineOptions> = {
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
};

/** Smallest and largest value of each numeric option. The upper bounds are those of Flink (key groups), Kafka and Lambda. */
const BOUNDS = {
  parallelism: [1, 32_768],
  maxParallelism: [1, 32_768],
  stateFragments: [1, 32_768],
  maxAttempts: [1, 100],
  watermarkIntervalMs: [1, 3_600_000],
  frameBytes: [1024, 1_048_576],
  batchSize: [1, 10_000],
  batchWindowMs: [0, 300_000],
  timeoutMs: [1000, 840_000],
  memoryMb: [128, 10_240],
  maxRetries: [-1, 10_000],
} as const satisfies Partial<Record<keyof PipelineOptions, readonly [number, number]>>;

/** Checks every given option and returns a frozen copy. @throws MILLRACE_OPTION_INVALID */
export function checkOptions(options: PipelineOptions): PipelineOptions {
  for (const [name, value] of Object.entries(options)) checkOption(name, value);
  return Object.freeze({ ...options });
}

function checkOption(name: string, value: unknown): void {
  if (value === undefined) return;
  if (name in BOUNDS) {
    checkNumber(name as keyof typeof BOUNDS, value);
  } else if (name === 'onError') {
    if (value !== 'dead-letter' && value !== 'fail') throw invalid(name, value, "'dead-letter' or 'fail'");
  } else if (name === 'partialBatchResponse') {
    if (typeof value !== 'boolean') throw invalid(name, value, 'true or false');
  } else {
    throw new MillraceError(
      'MILLRACE_OPTION_INVALID',
      `there is no pipeline option '${name}'; there are ${Object.keys(DEFAULT_OPTIONS).join(', ')}`,
    );
  }
}

function checkNumber(name: keyof typeof BOUNDS, value: unknown): void {
  const [least, most] = BOUNDS[name];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw invalid(name, value, `a whole number from ${least} to ${most}`);
  }
}

function invalid(name: string, value: unknown, allowed: string): MillraceError {
  const given = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return new MillraceError('MILLRACE_OPTION_INVALID', `option ${name} is ${given}: give ${allowed}`);
}

/** The number of tasks of one operator. @throws MILLRACE_OPTION_INVALID */
export function checkParallelism(parallelism: number): number {
  checkNumber('parallelism', parallelism);
  return parallelism;
}

/**
 * Options with all defaults filled in. A default never breaks an option that was given: where `maxParallelism` is below the default
 * number of tasks or fragments, there are as many of these as key groups.
 *
 * @throws MILLRACE_OPTION_INVALID
 */
export function resolveOptions(options: PipelineOptions): Required<PipelineOptions> {
  const all = { ...DEFAULT_OPTIONS, ...withoutUndefined(checkOptions(options)) };
  const most = all.maxParallelism;
  const parallelism = options.parallelism ?? Math.min(all.parallelism, most);
  const stateFragments = options.stateFragments ?? Math.min(all.stateFragments, most);
  if (parallelism > most) throw invalid('parallelism', parallelism, `at most maxParallelism, which is ${most}`);
  if (stateFragments > most) throw invalid('stateFragments', stateFragments, `at most maxParallelism, which is ${most}`);
  return { ...all, parallelism, stateFragments };
}

function withoutUndefined(options: PipelineOptions): PipelineOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** The part of the options that goes into the plan as settings. */
export function toSettings(options: Required<PipelineOptions>): PlanSettings {
  const { parallelism: _n, maxParallelism: _p, stateFragments: _f, ...settings } = options;
  return settings;
}
