import type { RecordMetadata } from 'kafkajs';
import type { OutgoingMessage } from '../../functions/channels/channel-writer.ts';
import { createKafkaClient } from '../../functions/channels/kafka/client.ts';
import type { KafkaConfig } from '../../functions/channels/kafka/config.ts';
import { toKafkaError } from '../../functions/channels/kafka/kafka-error.ts';
import { sendInLists } from '../../functions/channels/kafka/message-list.ts';
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
  const checkOffsets = (written: readonly RecordMetadata[], count: number): void => {
    for (const { partition, baseOffset } of written) {
      const expected = next[partition] ?? 0;
      const found = Number(baseOffset ?? -1); // not told where a repetition was recognized
      if (found >= 0 && found !== expected)
        throw new MillraceError(
          'MILLRACE_TOPIC_MISMATCH',
          `topic ${topic}-${partition} was at ${found} where its feeder had left it at ${expected}: somebody else writes to it. Only one feeder may; ` +
            'stop the other, and begin anew with another --namespace',
        );
      next[partition] = expected + count;
    }
  };
  const send = async (partition: number, list: readonly OutgoingMessage[]): Promise<void> => {
    const messages = list.map(({ value }) => ({ value: toBuffer(value), partition }));
    const written = await producer.send({ topic, messages, acks: -1 }).catch((error: unknown) => {
      throw describe(error);
    });
    checkOffsets(written, messages.length);
  };
  const sendAll = async (lists: readonly (readonly Uint8Array[])[]): Promise<void> => {
    for (const [partition, list] of lists.entries()) {
      const messages = list.map((value) => ({ key: null, value }));
      await sendInLists(messages, (part) => send(partition, part));
    }
  };
  let sending: Promise<unknown> = Promise.resolve();
  return {
    ends,
    isHeldBack: false, // Kafka keeps what the stages have not read
    append(lists) {
      if (lists.every(({ length }) => length === 0)) return undefined;
      const attempt = sending.then(() => sendAll(lists));
      sending = attempt.catch(() => undefined);
      return attempt;
    },
    async close() {
      await sending;
      await producer.disconnect();
    },
  };
}

function toBuffer(value: Uint8Array | null): Buffer | null {
  return value && Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
