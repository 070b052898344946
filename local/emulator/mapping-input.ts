import type { OutgoingMessage } from '../../functions/channels/channel-writer.ts';
import type { EventPart, KafkaEventBuilder } from './kafka-event-builder.ts';

/** What a partition has at hand for the next batch. */
export interface Backlog {
  readonly records: number;
  readonly bytes: number;
  /** Log append time of the first of them, in ms. */
  readonly oldestTime: number;
}

/** One partition as a consumer group reads it, whichever log it lies in. */
export interface InputPartition {
  readonly topic: string;
  readonly partition: number;
  /** Records that are known and not committed. */
  readonly lag: number;
  /** False while another member of the group reads it. */
  readonly isOurs: boolean;
  /** What is at hand behind the last record that is through; undefined if nothing is, or the partition is somebody else's. */
  backlog(): Backlog | undefined;
  /** Adds records to an event, from the first that is not through, while they fit. */
  addTo(event: KafkaEventBuilder, maxRecords: number): void;
  /** Whether a batch that was taken is still ours to deliver; another member of the group may have got the partition. */
  holds(part: EventPart): boolean;
  /** The messages of a batch that `holds`. */
  read(part: EventPart): readonly (Required<OutgoingMessage> & { readonly offset: number })[];
  /** All below `offset` is through; nothing if the batch is no longer ours. */
  commit(part: EventPart, offset: number): void;
  /** Offset behind the last record of the log, or behind the last one that is to be read. */
  endOffset(): Promise<number>;
  /** Offset that the group goes on at after a restart. */
  committedOffset(): Promise<number>;
  /** Calls `listener` when there may be more at hand, until the returned function is called. */
  watch(listener: () => void): () => void;
  /** Calls `listener` when the committed offset may have changed, until the returned function is called. */
  watchCommits(listener: () => void): () => void;
}

/** Offset behind the last record that is read, by topic and partition. */
export type InputEnds = Readonly<Record<string, readonly number[]>>;

/** Where the input of a partition ends; a partition that came later has none to be read. */
export function endOf(ends: InputEnds | undefined, topic: string, partition: number): number | undefined {
  return ends && (ends[topic]?.[partition] ?? 0);
}

/** Where the batches of a mapping come from. */
export interface MappingInput {
  /** As events tell them. */
  readonly bootstrapServers: string;
  /** All partitions of the mapping's topics. */
  readonly partitions: readonly InputPartition[];
  /** True while there is no room for what the function writes: no batch begins. */
  isHeldBack(): boolean;
  /** Calls `listener` when that may have changed, until the returned function is called. */
  watchRoom(listener: () => void): () => void;
  /** Begins to read. The promise rejects if reading breaks, and resolves with `close`. */
  run(): Promise<void>;
  /** Commits what is through, and reads no more. */
  close(): Promise<void>;
}
