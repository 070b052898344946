import { toKafkaError } from '../../functions/channels/kafka/kafka-error.ts';
import type { KafkaConfig } from '../../functions/channels/kafka/config.ts';
import { createCluster, type FetchedPartition } from '../../functions/channels/kafka/kafkajs-cluster.ts';
import { toEventMessage } from './fetched-records.ts';
import { type FoundMessage, type TopicMessage, topicRanges, toTopicMessage } from './topic-reader.ts';

/** The answer holds whole batches from the one with the offset on, one at least; more than that is waste. */
const MAX_BYTES = 1;
const FETCH_WAIT_MS = 100;
const READ_COMMITTED = 1;

/**
 * One message of a topic and what its partition holds, in one fetch and without a group. A message of a transaction that is open or was
 * aborted is not there.
 *
 * @throws MILLRACE_TOPIC_MISSING, MILLRACE_NOT_AUTHORIZED, MILLRACE_AUTHENTICATION_FAILED, MILLRACE_CONNECTION_LOST
 */
export async function findKafkaMessage(config: KafkaConfig, topic: string, partition: number, offset: number): Promise<FoundMessage> {
  const range = (await topicRanges(config, topic)).find((one) => one.partition === partition);
  if (!range || offset < range.low || offset >= range.high) return { message: undefined, range };
  const cluster = await createCluster(config);
  try {
    await cluster.connect();
    await cluster.addMultipleTargetTopics([topic]);
    const leader = cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) => partitionId === partition)?.leader ?? -1;
    const broker = await cluster.findBroker({ nodeId: leader });
    const partitions = [{ partition, fetchOffset: String(offset), maxBytes: MAX_BYTES }];
    const { responses } = await broker.fetch({
      isolationLevel: READ_COMMITTED,
      maxWaitTime: FETCH_WAIT_MS,
      minBytes: 1,
      topics: [{ topic, partitions }],
    });
    const fetched = responses[0]?.partitions[0];
    return { message: fetched && pick(fetched, partition, offset), range };
  } catch (error) {
    const { brokers } = config;
    throw toKafkaError(error, { action: 'reading a message', resource: topic, brokers, fallback: 'MILLRACE_CONNECTION_LOST' });
  } finally {
    await cluster.disconnect();
  }
}

function pick({ messages, abortedTransactions }: FetchedPartition, partition: number, offset: number): TopicMessage | undefined {
  const found = messages.find((message) => Number(message.offset) === offset);
  if (!found || found.isControlRecord) return undefined;
  const { producerId, inTransaction } = found.batchContext;
  // What is listed ends at or behind the offset that was asked for, and a producer has one transaction at a time.
  const isAborted = (abortedTransactions ?? []).some((one) => one.producerId === producerId && Number(one.firstOffset) <= offset);
  return inTransaction && isAborted ? undefined : toTopicMessage(partition, toEventMessage(found));
}
