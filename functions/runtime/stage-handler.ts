import type { LogicalGraph } from '../graph/logical-graph.ts';
import { ALL_OPERATORS } from '../operators/all-operators.ts';
import type { PipelinePlan, StagePlan } from '../graph/stage-plan.ts';
import { systemClock } from '../shared/clock.ts';
import { isMillraceError, MillraceError } from '../shared/errors.ts';
import { openLivingState } from '../state/living-state.ts';
import type { Environment, StageAdapters } from './adapters.ts';
import { parseStageConfig, type StageConfig } from './config.ts';
import { openFencedTask } from './fenced-task.ts';
import { type InputBatch, parseEvent } from './kafka-event.ts';
import type { KafkaBatchResponse, StageHandler } from './lambda.ts';
import { stageBatchChannel } from './metrics.ts';
import { openSourceTask } from './source-task.ts';
import { DEFAULT_RUNTIME_OPTIONS, type OpenTask, type StagePorts, StageRuntime } from './stage-runtime.ts';
import { TaskCounters } from './task-counters.ts';
import { openTransactionalTask } from './transactional-task.ts';

type Failed = KafkaBatchResponse['batchItemFailures'][number];

/**
 * The function of one stage: takes Lambda's Kafka event, applies every partition's batch exactly once, publishes, and answers with a
 * partial batch response.
 *
 * @param plan - The whole pipeline's plan. @param stageId - The stage to run.
 * @param adapters - Made by the generated entry: the pipeline and lazy factories of the services it may use.
 * @returns a handler that opens its connections with the first event and keeps them while the environment lives.
 */
export function createStageHandler(plan: PipelinePlan, stageId: string, adapters: StageAdapters): StageHandler {
  let opening: Promise<StageHandler> | undefined;
  return async (event, context) => {
    opening ??= openHandler(plan, stageId, adapters).catch((error: unknown) => {
      opening = undefined; // an environment that could not connect tries again with the next event
      throw error;
    });
    const handler = await opening;
    return handler(event, context);
  };
}

async function openHandler(plan: PipelinePlan, stageId: string, adapters: StageAdapters): Promise<StageHandler> {
  const stage = findStage(plan, stageId);
  const config = parseStageConfig(process.env, stage.fenced);
  const ports = await openPorts(config, adapters, process.env, stage);
  const graph = adapters.pipeline.build(plan.params);
  const { determinismEvery, reportKeys } = config;
  const options = { ...DEFAULT_RUNTIME_OPTIONS, determinismEvery, reportKeys };
  return stageHandler(
    new StageRuntime(plan, { stage, graph, operators: adapters.operators, states: adapters.states }, ports, options),
    adapters.task,
  );
}

/** The same handler over ports that the caller gives: tests and the in-process driver. */
export function createStageRuntime(
  plan: PipelinePlan,
  stageId: string,
  graph: LogicalGraph,
  ports: StagePorts,
  options = DEFAULT_RUNTIME_OPTIONS,
): StageHandler {
  const stage = findStage(plan, stageId);
  const runtime = new StageRuntime(plan, { stage, graph, operators: ALL_OPERATORS, states: { living: openLivingState } }, ports, options);
  return stageHandler(runtime, stage.fenced ? openFencedTask : stage.transactional ? openTransactionalTask : openSourceTask);
}

function stageHandler(runtime: StageRuntime, openTask: OpenTask): StageHandler {
  return async (event, context) => {
    const batches = parseEvent(event, runtime.plan.generation);
    for (const { topic } of batches) checkTopic(runtime.stage, topic);
    const started = runtime.ports.clock.now();
    const remaining = context?.getRemainingTimeInMillis?.() ?? runtime.plan.settings.timeoutMs;
    const results = await Promise.all(batches.map((batch) => runBatch(runtime, openTask, batch, started + remaining)));
    const failures = results.filter((result) => result !== undefined);
    const [first] = failures;
    const answersInPart = runtime.plan.settings.partialBatchResponse;
    // The answer has no room for errors, and only one can be thrown: no other place would show the others.
    for (const { item, error } of answersInPart ? failures : failures.slice(1))
      runtime.ports.log(failureLine(runtime.stage.id, item, error));
    // On a mapping without partial responses a returned failure would count as success, and its records would be lost.
    if (first && !answersInPart) throw first.error;
    return { batchItemFailures: failures.map(({ item }) => item) };
  };
}

function failureLine(stage: string, { itemIdentifier }: Failed, error: unknown): string {
  const code = isMillraceError(error) ? error.code : undefined;
  return JSON.stringify({
    level: 'error',
    stage,
    ...itemIdentifier,
    code,
    message: error instanceof Error ? error.message : String(error),
  });
}

/** A trigger on another topic would be read as this stage's input. */
function checkTopic({ id, input }: StagePlan, topic: string): void {
  const topics = input.kind === 'source' ? input.topics : [input.topic];
  if (topics.includes(topic)) return;
  throw new MillraceError(
    'MILLRACE_EVENT_FOREIGN',
    `the event holds records of topic ${topic}; stage ${id} reads ${topics.join(', ')}. Check which trigger is attached to this function`,
  );
}

async function runBatch(
  runtime: StageRuntime,
  openTask: OpenTask,
  batch: InputBatch,
  deadline: number,
): Promise<{ item: Failed; error: unknown } | undefined> {
  const { clock } = runtime.ports;
  const started = clock.now();
  const counters = new TaskCounters();
  const task = openTask(runtime, batch, deadline, counters);
  try {
    await task.run();
    return undefined;
  } catch (error) {
    return { item: { itemIdentifier: { partition: `${batch.topic}-${batch.partition}`, offset: task.next } }, error };
  } finally {
    if (stageBatchChannel.hasSubscribers)
      stageBatchChannel.publish(counters.metrics(runtime.plan.pipeline, runtime.stage.id, batch, clock.now() - started));
  }
}

function findStage(plan: PipelinePlan, stageId: string): StagePlan {
  const stage = plan.stages.find(({ id }) => id === stageId);
  if (stage) return stage;
  const known = plan.stages.map(({ id }) => id).join(', ');
  throw new MillraceError('MILLRACE_PLAN_MISMATCH', `the plan of pipeline ${plan.pipeline} has no stage '${stageId}'; it has ${known}`);
}

async function openPorts(config: StageConfig, adapters: StageAdapters, env: Environment, stage: StagePlan): Promise<StagePorts> {
  const sinks = { produces: stage.produces, codecs: adapters.codecs };
  const channels = await pick('MILLRACE_LOG', config.log, adapters.log)(env, sinks);
  const transactions = stage.transactional ? await pick('MILLRACE_LOG', config.log, adapters.transactions)(env, sinks) : undefined;
  const state = config.state === 'none' ? undefined : await pick('MILLRACE_STATE', config.state, adapters.state)(env, sinks);
  // The function's own output is where its print sink goes.
  const print = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  const log = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  return { channels, transactions, state, clock: systemClock, print, log };
}

function pick<T>(variable: string, name: string, table: Readonly<Record<string, T>>): T {
  const found = table[name];
  if (found !== undefined) return found;
  throw new MillraceError(
    'MILLRACE_CONFIG_INVALID',
    `${variable} is '${name}'; this bundle has ${Object.keys(table).join(', ') || 'none'}`,
  );
}
