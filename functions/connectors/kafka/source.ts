import type { Codec } from '../../codec/codec.ts';
import { MillraceError } from '../../shared/errors.ts';
import type { TopicSource } from '../source.ts';
import { checkCodec, checkTopic } from './options.ts';

export type KafkaSourceOptions<T> = {
  /** Decodes a message's value; a message that it refuses becomes a dead letter. */
  readonly value: Codec<T>;
  /**
   * Promise that equal keys (of the `keyBy` that follows) never stand in two partitions of the topic, so that this `keyBy` needs no hop.
   * Only for a single topic. A broken promise splits the state of a key over two tasks. @default false
   */
  readonly keyedByRecordKey?: boolean;
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
  return Object.freeze({
    kind: 'topic',
    topics: Object.freeze(topics),
    value: options.value,
    keyedByRecordKey: options.keyedByRecordKey ?? false,
  });
}
