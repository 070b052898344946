import type { Codec } from '../codec/codec.ts';
import type { StartPosition, StopPosition } from '../graph/stage-plan.ts';

/** Where a pipeline's records come from. */
export type Source<T> = TopicSource<T> | FeedSource<T>;

/** A topic that somebody else writes: its mapping triggers the first stage, one record a message. */
export interface TopicSource<T> {
  readonly kind: 'topic';
  /** Empty where a pattern finds them. */
  readonly topics: readonly string[];
  /** Matches the whole names of the topics, which are looked up before the pipeline is planned. */
  readonly pattern?: RegExp;
  readonly value: Codec<unknown>;
  readonly key?: Codec<unknown>;
  /** The record that a message stands for. Pure; what it throws fails the record. */
  readonly decode: (message: SourceMessage, place: { readonly topic: string; readonly partition: number }) => T;
  /**
   * Promise that equal keys (of the `keyBy` that follows) never stand in two partitions, so that this `keyBy` needs no hop:
   * task = partition.
   */
  readonly keyedByRecordKey: boolean;
  readonly start: StartPosition;
  /** Where its records end. @default - they don't */
  readonly stop?: StopPosition;
  /** Consumer group of the mapping. @default - made of namespace, pipeline and stage */
  readonly group?: string;
  /** Most records of a batch, and longest wait for a fuller one in ms. @default - the pipeline's */
  readonly batchSize?: number;
  readonly batchWindowMs?: number;
}

/** A message of a topic as its source decodes it; each field is taken apart when it is asked for. */
export interface SourceMessage {
  readonly offset: number;
  /** The message's timestamp in ms. */
  readonly time: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** In the order in which they stand in the message. */
  readonly headers: readonly (readonly [name: string, value: Uint8Array])[];
}

/**
 * A source that is no topic. A feeder outside the functions reads it and writes it to a topic of its own, partition = ordinal mod N.
 * `read` must yield the same records in the same order whenever it is called: a feeder that resumes skips what it has written.
 */
export interface FeedSource<T> {
  readonly kind: 'feed';
  /** Printable name of the connector, for example `elements` or `file`. */
  readonly name: string;
  readonly bounded: boolean;
  readonly value: Codec<T>;
  /** Yields encoded records, some at a time. @throws MILLRACE_INPUT_UNREADABLE */
  read(): AsyncIterable<readonly Uint8Array[]>;
  /** Finds out whether it can be read, before anything runs. @throws MILLRACE_INPUT_UNREADABLE */
  check?(): Promise<void>;
}
