import type { Message } from 'kafkajs';
import { createKafkaClient } from '../../functions/channels/kafka/client.ts';
import type { KafkaConfig } from '../../functions/channels/kafka/config.ts';
import { toKafkaError } from '../../functions/channels/kafka/kafka-error.ts';
import type { FeedTopic } from '../harness-log.ts';
import { topicEnds } from './topic-reader.ts';

/**
 * The topic of a feeder in a real Kafka. Offsets tell what is written (the k-th record of partition p is the source's record kN + p), so
 * nothing may be doubled: an idempotent producer, with one send at a time, as kafkajs 2.2.4 loses and doubles messages of several.
 */
export async function openKafkaFeedTopic(config: KafkaConfig, topic: string): Promise<FeedTopic> {
  const ends = await topicEnds(config, topic);
  const producer = createKafkaClient(config).producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner:
      () =>
      ({ message }) =>
        message.partition ?? 0,
  });
  const describe = (error: unknown): Error => {
    const { brokers } = config;
    return toKafkaError(error, { action: 'feeding a source', resource: topic, brokers, fallback: 'MILLRACE_PRODUCE_FAILED' });
  };
  try {
    await producer.connect();
  } catch (error) {
    await producer.disconnect();
    throw describe(error);
  }
  let sending: Promise<unknown> = Promise.resolve();
  return {
    ends,
    isHeldBack: false, // Kafka keeps what the stages have not read
    append(lists) {
      const messages = lists.flatMap((list, partition) => list.map((value) => toMessage(value, partition)));
      if (messages.length === 0) return undefined;
      const attempt = producer.send({ topic, messages, acks: -1 }).catch((error: unknown) => {
        throw describe(error);
      });
      sending = attempt.catch(() => undefined);
      return attempt;
    },
    async close() {
      await sending;
      await producer.disconnect();
    },
  };
}

function toMessage(value: Uint8Array, partition: number): Message {
  return { value: Buffer.from(value.buffer, value.byteOffset, value.byteLength), partition };
}
