/** As much of Lambda's interface as a stage handler uses; the shapes are AWS's. */

/** One record of a Kafka event. Binary fields are base64; a null value is a tombstone. */
export interface KafkaEventRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Ms since the epoch. */
  readonly timestamp: number;
  /** `CREATE_TIME` or `LOG_APPEND_TIME`. */
  readonly timestampType: string;
  readonly key?: string | null;
  readonly value?: string | null;
  /** One object a header; bytes as signed or unsigned numbers. */
  readonly headers?: readonly Readonly<Record<string, readonly number[]>>[];
}

/** What a Kafka event source mapping hands to a function. Keys of `records` are `topic-partition`. */
export interface KafkaEvent {
  readonly eventSource: 'aws:kafka' | 'SelfManagedKafka' | 'aws:SelfManagedKafka';
  readonly eventSourceArn?: string;
  readonly bootstrapServers?: string;
  readonly records: Readonly<Record<string, readonly KafkaEventRecord[]>>;
}

/**
 * Millrace's own event: the end of bounded input partitions, sent to a source stage by a clock when nothing readable is left below
 * `offset` (protocol section 7). Repeated until it succeeds; another generation is refused.
 */
export interface EndEvent {
  readonly eventSource: 'millrace:end';
  readonly generation: number;
  readonly partitions: readonly { readonly topic: string; readonly partition: number; readonly offset: number }[];
}

/** Lambda's partial batch response. */
export interface KafkaBatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: { readonly partition: string; readonly offset: number } }[];
}

export interface LambdaContext {
  readonly awsRequestId: string;
  readonly functionName: string;
  getRemainingTimeInMillis(): number;
}

export type StageHandler = (event: unknown, context?: Partial<LambdaContext>) => Promise<KafkaBatchResponse>;
