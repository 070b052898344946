import type { MillraceError } from '../shared/errors.ts';

/** One message as it goes into a topic. A null value is a tombstone. Headers keep their order; Kafka's client puts those of one name side by side. */
export interface OutgoingMessage {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: readonly (readonly [name: string, value: Uint8Array])[];
  /** In ms; a topic may have the broker set its own, as the embedded log does. @default - the time of writing */
  readonly timestamp?: number;
}

/** Told of a message that its topic refuses for its timestamp: it is left out, and the others go on. */
export type OnRefused = (message: OutgoingMessage, error: MillraceError) => void;

/**
 * Appends to topics: the private channels between stages, dead letters, and users' topics in embedded mode. Whoever needs order within
 * a partition awaits one append before the next; appends to different partitions may run side by side.
 */
export interface ChannelWriter {
  /**
   * Appends `messages` in order; resolves once they are durable. What fits one batch of the log (1 MB in Kafka) is appended whole or not at
   * all; a longer list goes out in parts, one after another, and ends with the first that fails.
   *
   * @throws MILLRACE_TOPIC_MISSING there is no such topic or partition.
   * @throws MILLRACE_MESSAGE_TOO_LARGE a message is over the topic's limit; neither it nor what follows it was appended.
   * @throws MILLRACE_TIMESTAMP_REFUSED the topic refuses a message's timestamp; only without `onRefused`.
   * @throws MILLRACE_PRODUCE_FAILED or MILLRACE_CONNECTION_LOST: it may have been appended, or be appended later.
   * @throws MILLRACE_NOT_AUTHORIZED, MILLRACE_AUTHENTICATION_FAILED
   */
  append(topic: string, partition: number, messages: readonly OutgoingMessage[], onRefused?: OnRefused): Promise<void>;
  /** Number of partitions of a topic. @throws MILLRACE_TOPIC_MISSING */
  partitionCount(topic: string): Promise<number>;
  close(): Promise<void>;
}
