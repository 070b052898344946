/** One message as it goes into a topic. Headers keep their order; a null value is a tombstone. */
export interface OutgoingMessage {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: readonly (readonly [name: string, value: Uint8Array])[];
}

/**
 * Appends to topics: the private channels between stages, dead letters, and users' topics in embedded mode. Whoever needs order within
 * a partition awaits one append before the next; appends to different partitions may run side by side.
 */
export interface ChannelWriter {
  /**
   * Appends `messages` in order, whole or not at all; resolves once they are durable.
   *
   * @throws MILLRACE_TOPIC_MISSING there is no such topic or partition.
   * @throws MILLRACE_MESSAGE_TOO_LARGE a message is over the topic's limit; nothing was appended.
   * @throws MILLRACE_PRODUCE_FAILED or MILLRACE_CONNECTION_LOST: it may have been appended, or be appended later.
   */
  append(topic: string, partition: number, messages: readonly OutgoingMessage[]): Promise<void>;
  /** Number of partitions of a topic. @throws MILLRACE_TOPIC_MISSING */
  partitionCount(topic: string): Promise<number>;
  close(): Promise<void>;
}
