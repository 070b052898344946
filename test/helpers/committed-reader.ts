import type { KafkaConfig } from '../../functions/channels/kafka/config.ts';
import { type Broker, createCluster, type FetchedMessage, type FetchedPartition } from '../../functions/channels/kafka/kafkajs-cluster.ts';

/** What a partition holds for different readers at one moment. */
interface PartitionView {
  /** Values that a reader of committed messages sees now. */
  readonly committed: readonly string[];
  /** All values, as a reader sees them that asks for no isolation. */
  readonly appended: readonly string[];
  /** A transaction that is neither committed nor aborted holds readers of committed messages back. */
  readonly hasOpenTransaction: boolean;
}

/** Reads a partition from its start, in one request and without a group. Not more than 10 MB. */
export async function viewPartition(config: KafkaConfig, topic: string, partition: number): Promise<PartitionView> {
  const cluster = await createCluster(config);
  try {
    await cluster.connect();
    await cluster.addMultipleTargetTopics([topic]);
    const leader = cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) => partitionId === partition)?.leader ?? -1;
    const broker = await cluster.findBroker({ nodeId: leader });
    const committed = await fetchAll(broker, topic, partition, READ_COMMITTED);
    const appended = await fetchAll(broker, topic, partition, READ_UNCOMMITTED);
    return {
      committed: valuesOf(withoutAborted(committed)),
      appended: valuesOf(appended.messages),
      hasOpenTransaction: committed.lastStableOffset !== committed.highWatermark,
    };
  } finally {
    await cluster.disconnect();
  }
}

const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;

async function fetchAll(broker: Broker, topic: string, partition: number, isolationLevel: 0 | 1): Promise<FetchedPartition> {
  const topics = [{ topic, partitions: [{ partition, fetchOffset: '0', maxBytes: 10_000_000 }] }];
  const { responses } = await broker.fetch({ isolationLevel, maxWaitTime: 0, minBytes: 0, topics });
  const fetched = responses[0]?.partitions[0];
  if (!fetched) throw new Error(`nothing was answered for ${topic}-${partition}`);
  return fetched;
}

/** By Kafka's rule: a producer's messages from the first offset of an aborted transaction up to its marker are none. */
function withoutAborted({ messages, abortedTransactions }: FetchedPartition): FetchedMessage[] {
  const aborted = new Set<string>();
  const starts = [...(abortedTransactions ?? [])];
  return messages.filter(({ offset, isControlRecord, batchContext: { producerId } }) => {
    for (let i = starts.length - 1; i >= 0; i--)
      if (starts[i]?.producerId === producerId && BigInt(starts[i]?.firstOffset ?? 0) <= BigInt(offset)) {
        aborted.add(producerId);
        starts.splice(i, 1);
      }
    if (isControlRecord) aborted.delete(producerId);
    return !isControlRecord && !aborted.has(producerId);
  });
}

function valuesOf(messages: readonly FetchedMessage[]): string[] {
  return messages.filter(({ isControlRecord }) => !isControlRecord).map(({ value }) => value?.toString() ?? '');
}
