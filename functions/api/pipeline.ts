import type { LogicalGraph, PipelineOptions } from '../graph/logical-graph.ts';
import { checkName } from '../graph/names.ts';
import { checkOptions, resolveOptions } from '../graph/settings.ts';
import { isMillraceError, MillraceError } from '../shared/errors.ts';
import type { Environment } from './environment.ts';
import { GraphRecorder } from './recorder.ts';
import { RecordingEnvironment } from './recording-environment.ts';

const brand: unique symbol = Symbol.for('millrace.pipeline') as never;

/** Records a graph: synchronous, without I/O, and the same for the same parameters. */
export type BuildFunction = (env: Environment) => void;

/** A named job: what a pipeline file exports as its default. */
export interface Pipeline {
  readonly name: string;
  readonly options: PipelineOptions;
  /**
   * Runs the build function and returns what it recorded. The same parameters give the same graph, on the laptop and in a function.
   *
   * @throws MILLRACE_BUILD_FAILED, MILLRACE_PARAM_MISSING, or what the API calls inside threw.
   */
  build(params?: Readonly<Record<string, string>>): LogicalGraph;
}

/**
 * Defines a pipeline. Nothing runs: `millrace plan`, `millrace dev` and every function build the graph when they need it.
 *
 * @param name - Part of the names of topics, groups and functions: 1 to 64 of a-z, A-Z, 0-9, `_` and `-`.
 * @throws MILLRACE_OPTION_INVALID
 * @example
 * export default pipeline('orders-per-customer', (env) => {
 *   env.fromSource(kafka.source({ topic: 'orders', value: json(Order) }), { uid: 'orders' })
 *     .keyBy((order) => order.customer)
 *     .count().uid('count')
 *     .print();
 * });
 */
export function pipeline(name: string, build: BuildFunction): Pipeline;
export function pipeline(name: string, options: PipelineOptions, build: BuildFunction): Pipeline;
export function pipeline(name: string, ...rest: readonly [BuildFunction] | readonly [PipelineOptions, BuildFunction]): Pipeline {
  const [options, build] = rest.length === 1 ? [{}, rest[0]] : rest;
  checkName('a pipeline', name);
  if (typeof build !== 'function') {
    throw new MillraceError(
      'MILLRACE_OPTION_INVALID',
      `pipeline('${name}') needs a build function: pipeline(name, options?, (env) => { … })`,
    );
  }
  resolveOptions(options);
  const checked = checkOptions(options);
  return Object.freeze({ [brand]: true, name, options: checked, build: (params = {}) => record(name, checked, build, params) });
}

/** True for a pipeline, whichever loaded copy of the package made it. */
export function isPipeline(value: unknown): value is Pipeline {
  return typeof value === 'object' && value !== null && brand in value;
}

function record(name: string, options: PipelineOptions, build: BuildFunction, params: Readonly<Record<string, string>>): LogicalGraph {
  const recorder = new GraphRecorder();
  const env = new RecordingEnvironment(recorder, params);
  run(name, build, env);
  const read = env.paramsRead();
  checkParamsRead(name, params, read);
  return Object.freeze({ pipeline: name, options, params: read, nodes: recorder.close() });
}

function run(name: string, build: (env: Environment) => unknown, env: Environment): void {
  let result: unknown;
  try {
    result = build(env);
  } catch (error) {
    if (isMillraceError(error)) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new MillraceError('MILLRACE_BUILD_FAILED', `the build function of pipeline '${name}' threw: ${message}`, { cause: error });
  }
  if (typeof (result as PromiseLike<unknown> | undefined)?.then === 'function') {
    throw new MillraceError(
      'MILLRACE_BUILD_FAILED',
      `the build function of pipeline '${name}' returned a promise: it must be synchronous, without I/O`,
    );
  }
}

function checkParamsRead(name: string, given: Readonly<Record<string, string>>, read: Readonly<Record<string, string>>): void {
  const unknown = Object.keys(given).find((param) => !Object.hasOwn(read, param));
  if (unknown === undefined) return;
  const known = Object.keys(read).join(', ') || 'none';
  throw new MillraceError('MILLRACE_PARAM_UNKNOWN', `pipeline '${name}' reads no parameter '${unknown}'; it reads: ${known}`);
}
