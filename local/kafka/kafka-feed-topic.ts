import type { Message, RecordMetadata } from 'kafkajs';
import { createKafkaClient } from '../../functions/channels/kafka/client.ts';
import type { KafkaConfig } from '../../functions/channels/kafka/config.ts';
import { toKafkaError } from '../../functions/channels/kafka/kafka-error.ts';
import { MillraceError } from '../../functions/shared/errors.ts';
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
  const next = [...ends];
  /** An offset tells which record of the source it is: from the first foreign message on none would any more. */
  const checkOffsets = (written: readonly RecordMetadata[], lists: readonly (readonly Uint8Array[])[]): void => {
    for (const { partition, baseOffset } of written) {
      const expected = next[partition] ?? 0;
      const found = Number(baseOffset ?? -1); // not told where a repetition was recognized
      if (found >= 0 && found !== expected)
        throw new MillraceError(
          'MILLRACE_TOPIC_MISMATCH',
          `topic ${topic}-${partition} was at ${found} where its feeder had left it at ${expected}: somebody else writes to it. Only one feeder may; ` +
            'stop the other, and begin anew with another --namespace',
        );
      next[partition] = expected + (lists[partition]?.length ?? 0);
    }
  };
  let sending: Promise<unknown> = Promise.resolve();
  return {
    ends,
    isHeldBack: false, // Kafka keeps what the stages have not read
    append(lists) {
      const messages = lists.flatMap((list, partition) => list.map((value) => toMessage(value, partition)));
      if (messages.length === 0) return undefined;
      const attempt = producer.send({ topic, messages, acks: -1 }).then(
        (written) => checkOffsets(written, lists),
        (error: unknown) => {
          throw describe(error);
        },
      );
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
