import type { PipelinePlan, StagePlan } from '../functions/graph/stage-plan.ts';
import type { EndEvent } from '../functions/runtime/lambda.ts';
import type { InputPartition } from './emulator/mapping-input.ts';

/** How far a task's fence has come. */
export interface FenceProgress {
  /** First input offset that it has not applied. */
  readonly next: number;
  /** Event time; +∞ when all its input has ended. */
  readonly watermark: number;
  /** By upstream task: the offset of the input that the last record applied from it was made of. */
  readonly upstreams: ReadonlyMap<string, number>;
}

export interface EndOfInputOptions {
  readonly plan: PipelinePlan;
  /** The input partitions of a stage. */
  readonly partitions: (stage: StagePlan) => readonly InputPartition[];
  /** Resolves when a source's topic holds all of its records; never for one without an end. */
  readonly feedDone: (stage: StagePlan) => Promise<void>;
  /** Invokes a source stage with an end, until it succeeds. */
  readonly invokeEnd: (stage: StagePlan, partition: InputPartition, event: EndEvent) => Promise<void>;
  /** Undefined for a task without a fence. */
  readonly fenceProgress: ((stage: StagePlan, topic: string, partition: number) => Promise<FenceProgress | undefined>) | undefined;
  /** Nothing more is to be expected on a stage's input. */
  readonly onUpstreamsDone: (stage: StagePlan) => void;
}

/**
 * The clock that ends bounded inputs (protocol section 7), and the knowledge of when all is done: every end invocation has succeeded,
 * every fence stands at watermark +∞, and every mapping has committed its fence's `next`. It remembers nothing: after a restart it
 * goes through the same steps, and the functions drop what they know.
 */
export class EndOfInput {
  private readonly options: EndOfInputOptions;
  private readonly finished = new Map<string, Promise<void>>();

  constructor(options: EndOfInputOptions) {
    this.options = options;
  }

  /** Resolves when every stage is done; never if a source has no end. */
  async run(): Promise<void> {
    await Promise.all(this.options.plan.stages.map((stage) => this.finish(stage)));
  }

  private finish(stage: StagePlan): Promise<void> {
    let finishing = this.finished.get(stage.id);
    if (!finishing)
      this.finished.set(stage.id, (finishing = stage.input.kind === 'source' ? this.finishSource(stage) : this.finishChannel(stage)));
    return finishing;
  }

  private async finishSource(stage: StagePlan): Promise<void> {
    await this.options.feedDone(stage);
    this.options.onUpstreamsDone(stage);
    await Promise.all(this.options.partitions(stage).map((partition) => this.endPartition(stage, partition)));
  }

  /** The feeder is the topic's only writer, so the end of the log is the end of the input, now and after any restart. */
  private async endPartition(stage: StagePlan, partition: InputPartition): Promise<void> {
    const offset = await partition.endOffset();
    await untilCommitted(partition, async () => (await partition.committedOffset()) >= offset);
    const { topic } = partition;
    const { generation } = this.options.plan;
    const event: EndEvent = { eventSource: 'millrace:end', generation, partitions: [{ topic, partition: partition.partition, offset }] };
    await this.options.invokeEnd(stage, partition, event);
    if (stage.fenced) await untilCommitted(partition, () => this.hasEnded(stage, partition));
  }

  private async finishChannel(stage: StagePlan): Promise<void> {
    const { input } = stage;
    if (input.kind !== 'channel') return;
    const upstreams = this.options.plan.stages.filter(({ id }) => input.upstreams.some((upstream) => upstream.stage === id));
    await Promise.all(upstreams.map((upstream) => this.finish(upstream)));
    this.options.onUpstreamsDone(stage);
    await Promise.all(this.options.partitions(stage).map((partition) => this.finishPartition(stage, partition)));
  }

  /** What is in the channel by now is read too: a dead letter that is replayed after the end comes behind all else. */
  private async finishPartition(stage: StagePlan, partition: InputPartition): Promise<void> {
    const end = await partition.endOffset();
    await untilCommitted(partition, async () => (await partition.committedOffset()) >= end && (await this.hasEnded(stage, partition)));
  }

  /** Whether a task has applied everything up to the end of its input, and the mapping knows it. */
  private async hasEnded(stage: StagePlan, partition: InputPartition): Promise<boolean> {
    const committed = await partition.committedOffset();
    if (!this.options.fenceProgress) return committed >= (await partition.endOffset());
    const fence = await this.options.fenceProgress(stage, partition.topic, partition.partition);
    if (fence?.watermark !== Infinity) return false;
    return committed >= fence.next || committed >= (await partition.endOffset());
  }
}

/** Resolves once `isDone` holds, which is asked now and whenever the group may have committed on that partition. */
async function untilCommitted(partition: InputPartition, isDone: () => Promise<boolean>): Promise<void> {
  for (;;) {
    let stop = (): void => undefined;
    const commit = new Promise<void>((resolve) => (stop = partition.watchCommits(resolve)));
    try {
      if (await isDone()) return;
      await commit;
    } finally {
      stop();
    }
  }
}
