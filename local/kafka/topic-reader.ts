import { randomUUID } from 'node:crypto';
import type { EachBatchPayload } from 'kafkajs';
import type { OutgoingMessage } from '../../functions/channels/channel-writer.ts';
import { createKafkaClient } from '../../functions/channels/kafka/client.ts';
import type { KafkaConfig } from '../../functions/channels/kafka/config.ts';
import { toKafkaError } from '../../functions/channels/kafka/kafka-error.ts';
import { isMillraceError, MillraceError } from '../../functions/shared/errors.ts';
import type { EventMessage } from '../emulator/event-records.ts';
import { withKafkaAdmin } from './admin.ts';
import { registerReaders } from './codecs.ts';
import { recordsOf } from './fetched-records.ts';
import { withRawFetch } from './raw-fetch.ts';

/** One message as it stands in a topic. */
export interface TopicMessage extends Required<OutgoingMessage> {
  readonly partition: number;
  readonly offset: number;
  /** In ms. */
  readonly timestamp: number;
}

/** First and one behind the last offset of a partition. */
export interface PartitionRange {
  readonly partition: number;
  readonly low: number;
  readonly high: number;
}

/** What a look for one message finds: nothing in an offset that retention has dropped, or that never held a record. */
export interface FoundMessage {
  readonly message: TopicMessage | undefined;
  /** Undefined where there is no such partition. */
  readonly range: PartitionRange | undefined;
}

/** @throws MILLRACE_TOPIC_MISSING, MILLRACE_NOT_AUTHORIZED, MILLRACE_AUTHENTICATION_FAILED, MILLRACE_CONNECTION_LOST */
export function topicRanges(config: KafkaConfig, topic: string): Promise<PartitionRange[]> {
  return withKafkaAdmin(config, topic, async (admin) => {
    const offsets = await admin.fetchTopicOffsets(topic);
    return offsets.map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }));
  }).catch((error: unknown) => {
    throw isMillraceError(error, 'MILLRACE_TOPIC_MISSING') ? topicMissing(topic, config, error) : error;
  });
}

/** Who looks at a topic that is not there has most often mistyped its name. */
function topicMissing(topic: string, { brokers }: KafkaConfig, cause: MillraceError): MillraceError {
  const message = `there is no topic ${topic} at brokers ${brokers.join(', ')}; correct its name, or the --kafka that was given`;
  return new MillraceError('MILLRACE_TOPIC_MISSING', message, { cause });
}

/** Offsets behind the last messages, by partition. @throws as `topicRanges` */
export async function topicEnds(config: KafkaConfig, topic: string): Promise<number[]> {
  const ranges = await topicRanges(config, topic);
  return ranges.sort((a, b) => a.partition - b.partition).map(({ high }) => high);
}

/**
 * Calls `onMessage` for each message that is in a topic at the time of the call: in order within a partition. It reads as a group of
 * its own, which commits nothing and is deleted afterwards.
 */
export async function readKafkaTopic(config: KafkaConfig, topic: string, onMessage: (message: TopicMessage) => void): Promise<void> {
  const ranges = (await topicRanges(config, topic)).filter(({ low, high }) => high > low);
  const missing = new Map(ranges.map(({ partition, high }) => [partition, high]));
  /** Batches may begin before what was asked for, and a client that begins anew reads them again. */
  const positions = new Map(ranges.map(({ partition, low }) => [partition, low]));
  if (missing.size === 0) return;
  registerReaders();
  const client = withRawFetch(createKafkaClient(config));
  const groupId = `millrace-reader-${randomUUID()}`;
  const consumer = client.consumer({ groupId, maxWaitTimeInMs: 100, allowAutoTopicCreation: false, retry: { retries: 3 } });
  try {
    await new Promise<void>((resolve, reject) => {
      const note = (partition: number, next: number): void => {
        if (next >= (missing.get(partition) ?? Infinity)) missing.delete(partition);
        if (missing.size === 0) resolve();
      };
      // Also told of batches of which nothing is for us, as those that only end a transaction.
      consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => note(payload.partition, Number(payload.lastOffset) + 1));
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
      const eachBatch = ({ batch }: EachBatchPayload): Promise<void> => {
        const { partition } = batch;
        const end = missing.get(partition) ?? 0;
        for (const records of batch.messages.map(recordsOf))
          for (let i = 0; i < records.count; i++) {
            const offset = records.offsetAt(i);
            if (offset < (positions.get(partition) ?? 0) || offset >= end) continue;
            onMessage(toTopicMessage(partition, records.messageAt(i)));
            positions.set(partition, offset + 1);
          }
        return Promise.resolve();
      };
      void consumer
        .connect()
        .then(() => consumer.subscribe({ topic, fromBeginning: true }))
        .then(() => consumer.run({ autoCommit: false, eachBatch }))
        .catch(reject);
    });
  } catch (error) {
    const { brokers } = config;
    throw toKafkaError(error, { action: 'reading a topic', resource: topic, brokers, fallback: 'MILLRACE_CONNECTION_LOST' });
  } finally {
    await consumer.disconnect();
    // One that is left behind, for want of the right to delete it, expires.
    await withKafkaAdmin(config, groupId, (admin) => admin.deleteGroups([groupId])).catch(() => undefined);
  }
}

export function toTopicMessage(partition: number, { key, value, headers, offset, timestamp }: EventMessage): TopicMessage {
  return { key, value, headers, partition, offset, timestamp };
}
