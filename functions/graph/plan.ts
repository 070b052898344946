import { MillraceError } from '../shared/errors.ts';
import { cutIntoStages } from './cut.ts';
import type { LogicalGraph, PipelineOptions } from './logical-graph.ts';
import { channelTopic, checkName, collectTopic, deadLetterTopic, feedTopic, stageName } from './names.ts';
import { isBounded, statesOf, titleOf, uidOf } from './operators.ts';
import { resolveOptions, toSettings } from './settings.ts';
import { type DraftOperator, type DraftOutput, nameStages, type StageDraft } from './stage-draft.ts';
import type {
  ChannelPlan,
  FeedPlan,
  OperatorPlan,
  PipelinePlan,
  StageInput,
  StageOutput,
  StagePlan,
  TopicProduction,
} from './stage-plan.ts';
import { validateGraph } from './validate.ts';

export interface PlanOptions {
  /** Keeps several copies of a pipeline apart. @default 'default' */
  readonly namespace?: string;
  /** From the lock file. @default 1 */
  readonly generation?: number;
  /** Options that go before those in the pipeline's file: of the command line, the environment, a config file. */
  readonly overrides?: PipelineOptions;
}

const DEFAULTS = { namespace: 'default', generation: 1 } as const;

/** Names of everything that the plan gives one. */
interface Naming {
  readonly namespace: string;
  readonly pipeline: string;
  readonly generation: number;
  readonly ids: ReadonlyMap<StageDraft, string>;
}

/**
 * The physical plan of a graph: stages, channels, topics. Pure and deterministic: the same file, parameters and options give the same
 * plan, byte for byte as JSON.
 *
 * @throws What `validateGraph` finds, MILLRACE_OPTION_INVALID, MILLRACE_WATERMARKS_MISPLACED, MILLRACE_MAPPING_GIVES_UP
 */
export function planPipeline(graph: LogicalGraph, planOptions: PlanOptions = {}): PipelinePlan {
  const { namespace, generation, overrides } = { ...DEFAULTS, ...planOptions };
  const options = resolveOptions({ ...graph.options, ...overrides });
  validateGraph(graph, options);
  const drafts = cutIntoStages(graph, options);
  checkJournals(drafts);
  const naming = { namespace: checkName('the namespace', namespace), pipeline: graph.pipeline, generation, ids: nameStages(drafts) };
  const stages = drafts.map((draft) => toStage(draft, naming));
  checkGroups(stages);
  checkRetries(stages, options.maxRetries);
  return {
    format: 1,
    pipeline: graph.pipeline,
    namespace,
    generation,
    maxParallelism: options.maxParallelism,
    stateFragments: options.stateFragments,
    params: graph.params,
    settings: toSettings(options),
    stages,
    channels: drafts.flatMap((draft) => toChannel(draft, naming)),
    feeds: drafts.flatMap((draft) => toFeed(draft, naming)),
    sinkTopics: sinkTopicsOf(graph),
    ...collectsOf(graph, namespace),
    ...sinkFoldersOf(graph),
    deadLetterTopic: deadLetterTopic(namespace, graph.pipeline),
  };
}

function toStage(draft: StageDraft, naming: Naming): StagePlan {
  const id = idOf(draft, naming);
  const name = stageName(naming.namespace, naming.pipeline, id);
  return {
    id,
    name,
    parallelism: draft.parallelism,
    input: toInput(draft, naming),
    operators: draft.operators.map(toOperator),
    outputs: draft.outputs.map((output) => toOutput(output, naming)),
    fenced: draft.fenced,
    journal: draft.journal,
    transactional: draft.transactional,
    produces: producesOf(draft),
    group: (draft.input.kind === 'source' ? draft.input.node.source.group : undefined) ?? name,
  };
}

/** A topic is written to in one way: all of a stage's sinks share the client. */
function producesOf({ operators }: StageDraft): Readonly<Record<string, TopicProduction>> {
  const byTopic = new Map<string, TopicProduction>();
  for (const { node } of operators) {
    if (node.kind !== 'sink' || node.sink.topic === undefined) continue;
    const { topic, produces = {} } = node.sink;
    const other = byTopic.get(topic) ?? produces;
    if (JSON.stringify(other) !== JSON.stringify(produces))
      throw new MillraceError(
        'MILLRACE_OPTION_INVALID',
        `two sinks of one stage write to topic ${topic} as ${JSON.stringify(other)} and as ${JSON.stringify(produces)}: give both the same options`,
      );
    byTopic.set(topic, produces);
  }
  return Object.fromEntries([...byTopic].filter(([, produces]) => Object.keys(produces).length > 0));
}

function toInput(draft: StageDraft, naming: Naming): StageInput {
  const { input } = draft;
  if (input.kind === 'source') {
    const { source, id: node } = input.node;
    const { pattern, start = 'earliest', stop, batchSize, batchWindowMs } = source;
    const idlenessMs = idlenessOf(draft);
    return {
      kind: 'source',
      node,
      uid: idOf(draft, naming),
      topics: source.kind === 'topic' ? (source.topics ?? []) : [sourceTopic(draft, naming)],
      pattern: pattern === undefined ? null : String(pattern),
      start,
      ...(batchSize !== undefined && { batchSize }),
      ...(batchWindowMs !== undefined && { batchWindowMs }),
      ...(idlenessMs !== undefined && { idlenessMs }),
      bounded: isBounded(source),
      ...(stop !== undefined && { stop }),
    };
  }
  const writers = [...new Set(input.writers.map(({ stage }) => stage))];
  return {
    kind: 'channel',
    channel: idOf(draft, naming),
    topic: topicOf(draft, naming),
    hop: 'kafka',
    upstreams: writers.map((stage) => ({ stage: idOf(stage, naming), parallelism: stage.parallelism })),
  };
}

/** All watermarks of a source stage come from one generator: it is idle when that of each of its strategies would be. */
function idlenessOf({ operators }: StageDraft): number | undefined {
  const timeouts = operators.flatMap(({ node }) => (node.kind === 'watermarks' ? [node.strategy.idlenessMs ?? Infinity] : []));
  const longest = Math.max(...timeouts);
  return Number.isFinite(longest) ? longest : undefined;
}

function toOperator({ node, inputs, secondInputs, keyed }: DraftOperator): OperatorPlan {
  return {
    node: node.id,
    kind: node.kind,
    uid: uidOf(node) ?? null,
    name: titleOf(node),
    inputs,
    ...(secondInputs && { secondInputs }),
    keyed,
    states: statesOf(node),
  };
}

function toOutput({ to, from, tag, partitioner, keyNode }: DraftOutput, naming: Naming): StageOutput {
  return {
    channel: idOf(to, naming),
    topic: topicOf(to, naming),
    partitions: tasksOf(to),
    from,
    tag,
    partitioner,
    keyNode,
  };
}

function toChannel(draft: StageDraft, naming: Naming): readonly ChannelPlan[] {
  if (draft.input.kind === 'source') return [];
  return [{ id: idOf(draft, naming), topic: topicOf(draft, naming), hop: 'kafka', partitions: tasksOf(draft) }];
}

function toFeed(draft: StageDraft, naming: Naming): readonly FeedPlan[] {
  const { input } = draft;
  if (input.kind !== 'source' || input.node.source.kind !== 'feed') return [];
  return [{ uid: idOf(draft, naming), node: input.node.id, topic: sourceTopic(draft, naming), partitions: tasksOf(draft) }];
}

function idOf(draft: StageDraft, { ids }: Naming): string {
  const id = ids.get(draft);
  if (id === undefined) throw new RangeError('a stage has no id');
  return id;
}

function topicOf(draft: StageDraft, naming: Naming): string {
  return channelTopic(naming.namespace, naming.pipeline, idOf(draft, naming), naming.generation);
}

function sourceTopic(draft: StageDraft, naming: Naming): string {
  return feedTopic(naming.namespace, naming.pipeline, idOf(draft, naming));
}

function tasksOf(draft: StageDraft): number {
  if (draft.parallelism === null) throw new RangeError('the partitions of an external topic are not known while planning');
  return draft.parallelism;
}

function sinkTopicsOf(graph: LogicalGraph): readonly string[] {
  const topics = graph.nodes.flatMap((node) => (node.kind === 'sink' && node.sink.topic !== undefined ? [node.sink.topic] : []));
  return [...new Set(topics)].sort();
}

function collectsOf({ nodes, pipeline }: LogicalGraph, namespace: string): Pick<PipelinePlan, 'collects'> {
  const names = nodes.flatMap((node) => (node.kind === 'sink' && node.sink.collect !== undefined ? [node.sink.collect] : []));
  return names.length > 0 ? { collects: names.map((name) => ({ name, topic: collectTopic(`${namespace}.${pipeline}`, name) })) } : {};
}

function sinkFoldersOf(graph: LogicalGraph): Pick<PipelinePlan, 'sinkFolders'> {
  const folders = graph.nodes.flatMap((node) => (node.kind === 'sink' && node.sink.folder !== undefined ? [node.sink.folder] : []));
  return folders.length > 0 ? { sinkFolders: folders.sort() } : {};
}

/** Members of one group share what it reads, and its offsets: two stages would take each other's records. */
function checkGroups(stages: readonly StagePlan[]): void {
  const owners = new Map<string, string>();
  for (const { id, group } of stages) {
    const owner = owners.get(group);
    owners.set(group, id);
    if (owner === undefined) continue;
    throw new MillraceError('MILLRACE_OPTION_INVALID', `stages '${owner}' and '${id}' both read as group '${group}': give each its own`);
  }
}

/** What a journal sends after its commit may be sent again, in other cuts than what the sink has written. */
function checkJournals(drafts: readonly StageDraft[]): void {
  const draft = drafts.find(({ journal, writesParts }) => journal && writesParts);
  if (draft === undefined) return;
  throw new MillraceError(
    'MILLRACE_OPTION_INVALID',
    "a stage with .journal() has a file sink, which it can't write to: add .hop('kafka') before the sink",
  );
}

/** Giving up after a publish would leave outputs of input that was never applied. */
function checkRetries(stages: readonly StagePlan[], maxRetries: number): void {
  const fenced = stages.find((stage) => stage.fenced);
  if (maxRetries < 0 || fenced === undefined) return;
  throw new MillraceError(
    'MILLRACE_MAPPING_GIVES_UP',
    `maxRetries is ${maxRetries}, but stage '${fenced.id}' has a fence and its mapping must never give up: remove maxRetries (default -1)`,
  );
}
