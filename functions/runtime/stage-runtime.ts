import type { ChannelWriter } from '../channels/channel-writer.ts';
import type { TransactionalLog } from '../channels/transactional-log.ts';
import type { Source } from '../connectors/source.ts';
import type { Sink, SinkContext, SinkWriter } from '../connectors/sink.ts';
import type { LogicalGraph } from '../graph/logical-graph.ts';
import type { PipelinePlan, StagePlan } from '../graph/stage-plan.ts';
import type { Clock } from '../shared/clock.ts';
import { MillraceError } from '../shared/errors.ts';
import { taskName } from '../shared/origin.ts';
import type { StateBackend } from '../state/state-backend.ts';
import type { CachedState } from '../state/task-store.ts';
import { BatchOutputs } from './batch-outputs.ts';
import type { InputBatch } from './kafka-event.ts';
import type { StageCode } from './operator-chain.ts';
import type { Decode } from './pending-record.ts';
import type { OutputJournal } from './output-journal.ts';
import { StageEngine } from './stage-engine.ts';
import { TaskCache } from './task-cache.ts';
import type { TaskTransaction } from './task-transaction.ts';
import type { TaskCounters } from './task-counters.ts';

/** Everything outside that a stage talks to. */
export interface StagePorts {
  readonly channels: ChannelWriter;
  /** Only for a stage with an exactly-once sink. */
  readonly transactions?: TransactionalLog | undefined;
  /** Undefined for a stage without a fence, which never touches a store. */
  readonly state: StateBackend | undefined;
  readonly clock: Clock;
  readonly print: (line: string) => void;
  /** Writes one line, JSON, for whoever operates the pipeline. */
  readonly log: (line: string) => void;
}

export interface StageRuntimeOptions {
  /** Every n-th batch is run twice and compared; 0 = never. */
  readonly determinismEvery: number;
  /** Whether keys of a keyBy without a hop are published with the metrics of each batch. */
  readonly reportKeys: boolean;
  /** Payload of one state node, in bytes. */
  readonly chunkBytes: number;
  /** Deltas of a task before they are compacted into images, in number and in bytes. */
  readonly maxDeltas: number;
  readonly minCompactionBytes: number;
}

export const DEFAULT_RUNTIME_OPTIONS: StageRuntimeOptions = {
  determinismEvery: 0,
  reportKeys: false,
  chunkBytes: 512 * 1024,
  maxDeltas: 64,
  minCompactionBytes: 64 * 1024,
};

/** One batch of one partition: `run` applies it, or throws; then `next` is the first offset that is not known to be applied. */
export interface StageTask {
  readonly next: number;
  run(): Promise<void>;
}

/** How a stage runs its batches: with a fence or without. A bundle holds only the way of its stage. */
export type OpenTask = (runtime: StageRuntime, batch: InputBatch, deadline: number, counters: TaskCounters) => StageTask;

/** The watermark generator of a source task: how far it has read, and the highest watermark that justifies. */
export interface Generator {
  readonly position: number;
  readonly watermark: number;
}

/** One stage in one environment: its operators, its ports, and what it keeps of its tasks. */
export class StageRuntime {
  readonly plan: PipelinePlan;
  readonly stage: StagePlan;
  readonly ports: StagePorts;
  readonly options: StageRuntimeOptions;
  readonly engine: StageEngine;
  /** Undefined for a stage that reads a channel. */
  private readonly source: Source<unknown> | undefined;
  readonly states = new TaskCache<CachedState>();
  readonly generators = new TaskCache<Generator>();
  readonly transactions = new TaskCache<TaskTransaction>();
  readonly journals = new TaskCache<OutputJournal>();
  /** The pending outputs, by task, that this environment has sent itself. */
  readonly published = new Map<string, string>();
  readonly sinks = new TaskCache<ReadonlyMap<number, SinkWriter<unknown>>>();
  private readonly graph: LogicalGraph;
  private batches = 0;
  private taskCount: Promise<number> | undefined;

  constructor(plan: PipelinePlan, code: StageCode, ports: StagePorts, options: StageRuntimeOptions) {
    const { stage, graph } = code;
    this.plan = plan;
    this.stage = stage;
    this.graph = graph;
    this.ports = ports;
    this.options = options;
    this.engine = new StageEngine(code, plan.settings.maxAttempts);
    this.source = sourceOf(stage, graph);
  }

  /** Name of a task, with the generation: the upstream of its frames. */
  task(topic: string, partition: number): string {
    return taskName(this.stage.id, topic, partition, this.plan.generation);
  }

  get readsSource(): boolean {
    return this.source !== undefined;
  }

  /** How messages of this partition become records; undefined for a stage that reads a channel. */
  decoderOf(place: Pick<InputBatch, 'topic' | 'partition'>): Decode | undefined {
    const { source } = this;
    if (source?.kind === 'topic') return (message) => source.decode(message, place);
    return source && (({ value }) => source.value.decode(value ?? NO_BYTES));
  }

  /** Number of tasks of this stage: from the plan, or the partitions of the topics that it reads. */
  tasks(): Promise<number> {
    return (this.taskCount ??= this.countTasks());
  }

  /** @param outlet - Where sinks that are opened send to: the ports, or a journal. */
  takeSinks(task: string, outlet: Pick<SinkContext, 'channels' | 'print'> = this.ports): ReadonlyMap<number, SinkWriter<unknown>> {
    const held = this.sinks.take(task);
    if (held) return held;
    const pipeline = `${this.plan.namespace}.${this.plan.pipeline}`;
    const context = { task, pipeline, channels: outlet.channels, now: () => this.ports.clock.now(), print: outlet.print };
    const opened = new Map<number, SinkWriter<unknown>>();
    for (const { node } of this.stage.operators) {
      const found = this.graph.nodes[node];
      if (found?.kind === 'sink') opened.set(node, (found.sink as Sink<unknown>).open(context));
    }
    return opened;
  }

  outputs(task: string, tasks: number, sinks: ReadonlyMap<number, SinkWriter<unknown>>): BatchOutputs {
    const { maxParallelism, settings } = this.plan;
    return new BatchOutputs({
      upstream: task,
      upstreamTasks: tasks,
      outputs: this.stage.outputs,
      maxParallelism,
      frameBytes: settings.frameBytes,
      sinks,
      buriedBy: settings.onError === 'fail' ? undefined : this.stage.id,
    });
  }

  /** Whether the next batch is one of those that are run twice. */
  isCheckDue(): boolean {
    const { determinismEvery } = this.options;
    return determinismEvery > 0 && this.batches % determinismEvery === 0;
  }

  /** Counts a batch for `isCheckDue`; one without records would be a check of nothing. */
  countBatch(records: number): void {
    if (records > 0) this.batches++;
  }

  private async countTasks(): Promise<number> {
    const { parallelism, input } = this.stage;
    if (parallelism !== null || input.kind === 'channel') return parallelism ?? 1;
    try {
      const counts = await Promise.all(input.topics.map((topic) => this.ports.channels.partitionCount(topic)));
      return counts.reduce((sum, count) => sum + count, 0);
    } catch (error) {
      this.taskCount = undefined; // ask again next time
      throw error;
    }
  }
}

const NO_BYTES = new Uint8Array();

function sourceOf(stage: StagePlan, graph: LogicalGraph): Source<unknown> | undefined {
  if (stage.input.kind === 'channel') return undefined;
  const node = graph.nodes[stage.input.node];
  if (node?.kind === 'source') return node.source as Source<unknown>;
  throw new MillraceError(
    'MILLRACE_PLAN_MISMATCH',
    `the plan reads source ${stage.input.uid}, which this pipeline does not have; plan it again`,
  );
}
