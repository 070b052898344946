import type { Pipeline } from '../../functions/api/pipeline.ts';
import { planPipeline } from '../../functions/graph/plan.ts';
import type { LogicalGraph } from '../../functions/graph/logical-graph.ts';
import type { PipelinePlan } from '../../functions/graph/stage-plan.ts';
import { namedTopics, withMatchingTopics } from '../../functions/graph/topic-patterns.ts';
import { createStageRuntime } from '../../functions/runtime/stage-handler.ts';
import type { StageHandler } from '../../functions/runtime/lambda.ts';
import { DEFAULT_RUNTIME_OPTIONS } from '../../functions/runtime/stage-runtime.ts';
import { MemoryStateBackend } from '../../functions/state/memory/memory-state-backend.ts';
import { readCollected } from '../collected.ts';
import { type Fault, faultyChannels, FaultPlan, faultyState, faultyTransactions } from './faults.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryLog } from './memory-log.ts';
import { readChannel, readDeadLetters, readSink, type StageOutputs } from './stage-run.ts';

export interface TestOptions {
  /** Values of `env.param`. */
  readonly params?: Readonly<Record<string, string>>;
  /** Run every batch twice from the same state and compare. @default true */
  readonly determinism?: boolean;
  readonly clock?: ManualClock;
  /** What goes wrong; a fault that does not fire fails the run. @default nothing */
  readonly faults?: readonly Fault[];
  /** Partitions of topics that the pipeline reads or writes and does not own. @default 2 */
  readonly partitions?: number;
}

/** A pipeline with its log and its state store in this process. */
export class TestWorld {
  readonly plan: PipelinePlan;
  readonly graph: LogicalGraph;
  readonly log: MemoryLog;
  readonly clock: ManualClock;
  readonly faults: FaultPlan;
  private readonly state = new MemoryStateBackend();
  private readonly printed: string[] = [];
  private readonly environments = new Map<string, StageHandler>();
  private readonly determinism: boolean;

  /** @param topics - For sources that find theirs by a pattern. */
  constructor(pipeline: Pipeline, options: TestOptions = {}, topics: readonly string[] = []) {
    const built = pipeline.build(options.params ?? {});
    this.graph = withMatchingTopics(built, { topics: [...topics, ...namedTopics(built)], ownPrefix: `test.${pipeline.name}.` });
    this.plan = planPipeline(this.graph, { namespace: 'test', generation: 1 });
    this.clock = options.clock ?? new ManualClock();
    this.log = new MemoryLog(this.clock);
    this.faults = new FaultPlan(options.faults ?? []);
    this.determinism = options.determinism ?? true;
    this.createTopics(options.partitions ?? 2);
  }

  /** The stage's handler; its environment lives until it is dropped. */
  handler(stage: string): StageHandler {
    let handler = this.environments.get(stage);
    if (!handler) this.environments.set(stage, (handler = this.openHandler(stage)));
    return handler;
  }

  /** Ends the stage's environment: caches are gone, what is stored stays. */
  dropEnvironment(stage: string): void {
    this.environments.delete(stage);
  }

  outputs(): StageOutputs {
    const { channels, sinkTopics, collects = [], deadLetterTopic } = this.plan;
    return {
      emitted: Object.fromEntries(channels.map(({ id, topic }) => [id, readChannel(this.log.partitions(topic))])),
      sinks: Object.fromEntries(sinkTopics.map((topic) => [topic, readSink(this.log.partitions(topic))])),
      collected: Object.fromEntries(collects.map(({ name, topic }) => [name, readCollected(this.log.partitions(topic).flat())])),
      printed: [...this.printed],
      deadLetters: readDeadLetters(this.log.partitions(deadLetterTopic)),
    };
  }

  private openHandler(stage: string): StageHandler {
    const ports = {
      channels: faultyChannels(this.log, this.faults),
      transactions: faultyTransactions(this.log, this.faults),
      state: faultyState(this.state, this.faults),
      clock: this.clock,
      print: (line: string) => {
        this.printed.push(line);
      },
      log: () => undefined,
    };
    const options = { ...DEFAULT_RUNTIME_OPTIONS, determinismEvery: this.determinism ? 1 : 0 };
    return createStageRuntime(this.plan, stage, this.graph, ports, options);
  }

  private createTopics(partitions: number): void {
    const { channels, feeds, sinkTopics, collects = [], deadLetterTopic, stages } = this.plan;
    for (const { topic, partitions: count } of [...channels, ...feeds]) this.log.createTopic(topic, count);
    for (const { input } of stages) if (input.kind === 'source') for (const topic of input.topics) this.log.createTopic(topic, partitions);
    for (const topic of sinkTopics) this.log.createTopic(topic, partitions);
    for (const { topic } of collects) this.log.createTopic(topic, 1);
    this.log.createTopic(deadLetterTopic, 1);
  }
}
