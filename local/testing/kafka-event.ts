import type { KafkaEvent, KafkaEventRecord } from '../../functions/runtime/lambda.ts';

/** One record of a Kafka event under test. A value that is no text or bytes goes as JSON; null is a tombstone. */
export interface TestRecord {
  readonly value: unknown;
  readonly key?: string | Uint8Array | null;
  /** @default one above the record before it in its partition, the first at 0 */
  readonly offset?: number;
  /** @default the event's */
  readonly partition?: number;
  /** Ms since the epoch. @default 2026-01-01T00:00:00Z plus the offset */
  readonly timestamp?: number;
  readonly headers?: Readonly<Record<string, string | Uint8Array>>;
}

export interface KafkaEventOptions {
  readonly topic: string;
  readonly records: readonly TestRecord[];
  /** @default 0 */
  readonly partition?: number;
  /** @default 'SelfManagedKafka' */
  readonly eventSource?: KafkaEvent['eventSource'];
  /** @default 'LOG_APPEND_TIME' */
  readonly timestampType?: 'CREATE_TIME' | 'LOG_APPEND_TIME';
}

const START = Date.UTC(2026, 0, 1);

/**
 * The event that Lambda's Kafka mapping sends for these records: base64 keys and values, headers as byte arrays, grouped by partition.
 *
 * @example await handler(kafkaEvent({ topic: 'orders', records: [{ value: { id: 1 } }] }))
 */
export function kafkaEvent(options: KafkaEventOptions): KafkaEvent {
  const { topic, partition = 0, eventSource = 'SelfManagedKafka', timestampType = 'LOG_APPEND_TIME' } = options;
  const records: Record<string, KafkaEventRecord[]> = {};
  for (const record of options.records) {
    const at = record.partition ?? partition;
    const list = (records[`${topic}-${at}`] ??= []);
    const offset = record.offset ?? (list.at(-1)?.offset ?? -1) + 1;
    list.push({ topic, partition: at, offset, timestamp: record.timestamp ?? START + offset, timestampType, ...payload(record) });
  }
  const arn = { eventSourceArn: 'arn:aws:kafka:eu-west-1:123456789012:cluster/test/00000000-0000-0000-0000-000000000000-1' };
  return { eventSource, ...(eventSource === 'aws:kafka' && arn), bootstrapServers: 'localhost:9092', records };
}

function payload({ key, value, headers = {} }: TestRecord): Pick<KafkaEventRecord, 'key' | 'value' | 'headers'> {
  return {
    ...(key !== undefined && key !== null && { key: base64(key) }),
    value: value === null ? null : base64(typeof value === 'string' || value instanceof Uint8Array ? value : JSON.stringify(value)),
    headers: Object.entries(headers).map(([name, bytes]) => ({ [name]: [...Buffer.from(bytes as string)] })),
  };
}

function base64(value: string | Uint8Array): string {
  return (typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.buffer, value.byteOffset, value.length)).toString('base64');
}
