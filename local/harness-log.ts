import type { ChannelWriter } from '../functions/channels/channel-writer.ts';
import type { StagePlan, StopPosition } from '../functions/graph/stage-plan.ts';
import type { InputEnds, MappingInput } from './emulator/mapping-input.ts';

/** The topic of a source that a feeder reads. The feeder is its only writer. */
export interface FeedTopic {
  /** What each partition held when it was opened. */
  readonly ends: readonly number[];
  /** Whether what was appended last waits for the mapping. */
  readonly isHeldBack: boolean;
  /**
   * Appends one list of values a partition, in order; a promise if it takes time or has to wait for the mapping. The next call comes
   * after that.
   */
  append(lists: readonly (readonly Uint8Array[])[]): Promise<unknown> | undefined;
  close(): Promise<void>;
}

/** A message of a topic that is read at the end of a run. */
export interface ResultMessage {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly (readonly [name: string, value: Uint8Array])[];
}

/** What a topic holds. */
export interface TopicContents {
  /** Messages that were ever written, as far as offsets tell. */
  readonly written: number;
  /** Those of them that `messages` leaves out, being no longer held or too many to read. */
  readonly left: number;
  /** Why they are left out. */
  readonly why: string;
  readonly messages: Iterable<ResultMessage>;
}

/** The log that a pipeline runs on: the embedded one, or a real Kafka. */
export interface HarnessLog {
  /** Appends for the harness itself: ticks, and batches that were given up. */
  readonly writer: ChannelWriter;
  /** Environment variables by which functions find it. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether unread input stays there for the next run, so that a run may stop before it is through. */
  readonly isDurable: boolean;
  /** Makes or checks the topics of the plan. Before all else. */
  prepare(): Promise<void>;
  /** @param ends - Where the stage's input ends, by topic and partition; undefined where it does not. */
  openInput(stage: StagePlan, ends?: InputEnds): Promise<MappingInput>;
  /** For the topic's only writer. */
  openFeed(topic: string): Promise<FeedTopic>;
  /** Whether a tick would only add to what already waits in a partition. */
  isFull(topic: string, partition: number): boolean;
  /** Offsets that a position stands for in a topic now, by partition. */
  stopOffsets(topic: string, stop: StopPosition): Promise<readonly number[]>;
  /** Offsets behind the last records of a topic, by partition. */
  ends(topic: string): Promise<readonly number[]>;
  contents(topic: string): Promise<TopicContents>;
  close(): Promise<void>;
}
