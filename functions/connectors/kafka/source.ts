import type { Codec } from '../../codec/codec.ts';
import { MillraceError } from '../../shared/errors.ts';
import type { StartPosition, TopicSource } from '../source.ts';
import { checkCodec, checkTopic } from './options.ts';

export type KafkaSourceOptions<T> = {
  /** Decodes a message's value; a message that it refuses becomes a dead letter. */
  readonly value: Codec<T>;
  /**
   * Promise that equal keys (of the `keyBy` that follows) never stand in two partitions of the topic, so that this `keyBy` needs no hop.
   * Only for a single topic. A broken promise splits the state of a key over two tasks. @default false
   */
  readonly keyedByRecordKey?: boolean;
  /** Where reading begins, once. @default 'earliest' */
  readonly start?: StartPosition;
} & ({ readonly topic: string; readonly topics?: never } | { readonly topic?: never; readonly topics: readonly string[] });

/**
 * Reads one or several Kafka topics. Its stage has one task for each partition; records of one partition stay in order.
 *
 * @throws MILLRACE_OPTION_INVALID
 * @example kafka.source({ topic: 'orders', value: json(Order) })
 */
export function kafkaSource<T>(options: KafkaSourceOptions<T>): TopicSource<T> {
  const topics = (options.topics ?? [options.topic]).map(checkTopic);
  if (topics.length === 0 || new Set(topics).size < topics.length) {
    throw new MillraceError(
      'MILLRACE_OPTION_INVALID',
      `kafka.source() was given topics [${topics.join(', ')}]: give each topic once, at least one`,
    );
  }
  checkCodec('kafka.source()', options.value, 'decode');
  const start = options.start ?? 'earliest';
  checkStart(start, topics);
  return Object.freeze({
    kind: 'topic',
    topics: Object.freeze(topics),
    value: options.value,
    keyedByRecordKey: options.keyedByRecordKey ?? false,
    start,
  });
}

function checkStart(start: unknown, topics: readonly string[]): void {
  if (start === 'earliest' || start === 'latest') return;
  const { timestamp, offsets } = (start ?? {}) as { readonly timestamp?: unknown; readonly offsets?: unknown };
  if (offsets === undefined ? isWhole(timestamp) : timestamp === undefined && areOffsets(offsets, topics)) return;
  throw new MillraceError(
    'MILLRACE_OPTION_INVALID',
    `start is ${JSON.stringify(start)}: give 'earliest', 'latest', { timestamp: ms } or { offsets: { topic: { partition: offset } } } with ` +
      `topics of ${topics.join(', ')}`,
  );
}

function areOffsets(offsets: unknown, topics: readonly string[]): boolean {
  if (typeof offsets !== 'object' || offsets === null) return false;
  return Object.entries(offsets).every(
    ([topic, partitions]: [string, unknown]) =>
      topics.includes(topic) &&
      typeof partitions === 'object' &&
      partitions !== null &&
      Object.entries(partitions).every(([partition, offset]) => isWhole(Number(partition)) && isWhole(offset)),
  );
}

function isWhole(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
