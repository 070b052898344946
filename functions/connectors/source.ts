import type { Codec } from '../codec/codec.ts';

/** Where a pipeline's records come from. */
export type Source<T> = TopicSource<T> | FeedSource<T>;

/** A topic that somebody else writes: its mapping triggers the first stage, one record a message. */
export interface TopicSource<T> {
  readonly kind: 'topic';
  readonly topics: readonly string[];
  readonly value: Codec<T>;
  /**
   * Promise that equal keys (of the `keyBy` that follows) never stand in two partitions, so that this `keyBy` needs no hop:
   * task = partition.
   */
  readonly keyedByRecordKey: boolean;
  readonly start: StartPosition;
}

/**
 * Where reading begins in a partition of which nothing has been read; later runs go on where the one before was. `timestamp`: at the first
 * record that is not older, in ms. `offsets`: by topic and partition; a partition that is not named begins at its earliest record.
 */
export type StartPosition =
  'earliest' | 'latest' | { readonly timestamp: number } | { readonly offsets: Readonly<Record<string, Readonly<Record<number, number>>>> };

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
}
