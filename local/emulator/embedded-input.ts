import type { OutgoingMessage } from '../../functions/channels/channel-writer.ts';
import type { StartPosition } from '../../functions/graph/stage-plan.ts';
import type { EmbeddedLog } from '../log/embedded-log.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import type { EventPart, KafkaEventBuilder } from './kafka-event-builder.ts';
import { type Backlog, endOf, type InputEnds, type InputPartition, type MappingInput } from './mapping-input.ts';

export interface EmbeddedInputOptions {
  readonly group: string;
  readonly topics: readonly string[];
  /** Topics that the function writes to: nothing begins while a partition of them is too far ahead of its slowest mapping. @default - none */
  readonly outputTopics?: readonly string[];
  /** Where to begin without committed offsets. @default 'earliest' */
  readonly startingPosition?: StartPosition;
  readonly ends?: InputEnds | undefined;
}

/** Reads topics of the embedded log; registers the group there. */
export function openEmbeddedInput(log: EmbeddedLog, options: EmbeddedInputOptions): MappingInput {
  const { group, topics, outputTopics = [], startingPosition, ends } = options;
  for (const topic of topics) log.subscribe(group, topic, startingPosition);
  const outputs = outputTopics.flatMap((topic) => log.partitions(topic));
  return {
    bootstrapServers: 'embedded:9092',
    partitions: topics.flatMap((topic) =>
      log.partitions(topic).map((source) => new EmbeddedInputPartition(log, source, group, endOf(ends, topic, source.partition))),
    ),
    isHeldBack: () => outputs.some(({ isHoldingBack }) => isHoldingBack),
    watchRoom(listener) {
      const stops = outputs.map((output) => output.watchCommits(listener));
      return () => {
        for (const stop of stops) stop();
      };
    },
    run: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

class EmbeddedInputPartition implements InputPartition {
  readonly isOurs = true;
  private readonly log: EmbeddedLog;
  private readonly source: PartitionLog;
  private readonly group: string;
  /** Where it ends before the log does. */
  private readonly stop: number;

  constructor(log: EmbeddedLog, source: PartitionLog, group: string, stop = Infinity) {
    this.log = log;
    this.source = source;
    this.group = group;
    this.stop = stop;
  }

  get topic(): string {
    return this.source.topic;
  }

  get partition(): number {
    return this.source.partition;
  }

  get lag(): number {
    return Math.max(0, this.end - this.position);
  }

  backlog(): Backlog | undefined {
    const { source, position } = this;
    const records = this.end - position;
    if (records <= 0) return undefined;
    return { records, bytes: source.bytesFrom(position), oldestTime: source.timeOf(Math.max(position, source.startOffset)) };
  }

  addTo(event: KafkaEventBuilder, maxRecords: number): void {
    event.add(this.source, this.position, Math.min(maxRecords, this.end - this.position));
  }

  holds(): boolean {
    return true;
  }

  read({ from, to }: EventPart): readonly (Required<OutgoingMessage> & { readonly offset: number })[] {
    return this.source.read(from, { maxRecords: to - from, maxBytes: Infinity });
  }

  commit(_part: EventPart, offset: number): void {
    this.log.commit(this.group, this.topic, this.partition, offset);
  }

  endOffset(): Promise<number> {
    return Promise.resolve(this.end);
  }

  committedOffset(): Promise<number> {
    return Promise.resolve(this.position);
  }

  watch(listener: () => void): () => void {
    return this.source.watch(listener);
  }

  watchCommits(listener: () => void): () => void {
    return this.source.watchCommits((committer) => {
      if (committer === this.group) listener();
    });
  }

  private get end(): number {
    return Math.min(this.source.endOffset, this.stop);
  }

  private get position(): number {
    return this.source.committedOffset(this.group) ?? 0;
  }
}
