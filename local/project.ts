import { dirname, resolve } from 'node:path';
import type { Pipeline } from '../functions/api/pipeline.ts';
import type { LogicalGraph } from '../functions/graph/logical-graph.ts';
import { type LockFile, lockedGeneration, updateLock } from '../functions/graph/lock.ts';
import { planPipeline } from '../functions/graph/plan.ts';
import { hasPatterns, withMatchingTopics } from '../functions/graph/topic-patterns.ts';
import type { PipelinePlan } from '../functions/graph/stage-plan.ts';
import { isMillraceError, MillraceError } from '../functions/shared/errors.ts';
import type { Arguments } from './args.ts';
import type { CliIo } from './cli.ts';
import { readLock } from './commands/lock.ts';
import { resolveConfig, type RunConfig } from './config.ts';
import { knownTopics } from './known-topics.ts';
import { loadPipeline } from './load-pipeline.ts';

/** A pipeline file with its settings, built and planned: what every command begins with. */
export interface Project {
  readonly file: string;
  readonly pipeline: Pipeline;
  readonly config: RunConfig;
  readonly graph: LogicalGraph;
  readonly plan: PipelinePlan;
  /** The lock file as it would be with this plan. */
  readonly locked: LockFile;
}

/** Loads, configures, builds, plans, and holds the plan against `millrace.lock.json` beside the file, if there is one. */
export async function openProject(file: string, args: Arguments, io: CliIo): Promise<Project> {
  const path = resolve(io.cwd, file);
  const pipeline = await loadPipeline(path, io.bundling);
  const { flags, switches, params } = args;
  const config = resolveConfig({ flags, switches, params, env: io.env, cwd: io.cwd, pipelineOptions: pipeline.options });
  const built = await lookUpTopics(buildGraph(pipeline, config.params), config, args.positionals[0] === 'dev', io.cwd);
  const graph = { ...built, options: { ...built.options, ...config.options } };
  const lock = await readLock(dirname(path));
  const plan = planPipeline(graph, { namespace: config.namespace, generation: lockedGeneration(lock, pipeline.name) });
  const locked = updateLock(lock, plan); // throws where the plan would lose or misread state
  return { file: path, pipeline, config: withParamDefaults(config, built.params), graph, plan, locked };
}

/** Topics that patterns match, where there is a log to look into; a plan without one shows the patterns. A run has one. */
async function lookUpTopics(graph: LogicalGraph, config: RunConfig, isRun: boolean, cwd: string): Promise<LogicalGraph> {
  const hasLog = isRun || config.kafka !== undefined || config.data !== undefined;
  if (!hasLog || !hasPatterns(graph)) return graph;
  return withMatchingTopics(graph, {
    topics: await knownTopics(graph, config, cwd),
    ownPrefix: `${config.namespace}.${graph.pipeline}.`,
  });
}

/** A mistyped flag with a value looks like a parameter; so the error about it tells where flags are listed. */
function buildGraph(pipeline: Pipeline, params: Readonly<Record<string, string>>): LogicalGraph {
  try {
    return pipeline.build(params);
  } catch (error) {
    if (!isMillraceError(error, 'MILLRACE_PARAM_UNKNOWN')) throw error;
    throw new MillraceError(error.code, `${error.message}. Flags of the command itself: see millrace help`, { cause: error });
  }
}

/** What the pipeline asked for and got no value for is a setting too. */
function withParamDefaults(config: RunConfig, read: Readonly<Record<string, string>>): RunConfig {
  const missing = Object.entries(read).filter(([name]) => !Object.hasOwn(config.params, name));
  const defaults = missing.map(([name, value]) => ({ name: `param ${name}`, value, source: 'default' }));
  return { ...config, entries: [...config.entries, ...defaults] };
}
