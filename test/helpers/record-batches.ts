import fetchRequest from 'kafkajs/src/protocol/requests/fetch/v4/request.js';
import type { KafkaConfig } from '../../functions/channels/kafka/config.ts';
import { createCluster, type Exchange } from '../../functions/channels/kafka/kafkajs-cluster.ts';

/** What the header of a record batch says, as it lies in the log. */
export interface BatchHeader {
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd' | undefined;
  readonly timestampType: 'CreateTime' | 'LogAppendTime';
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  /** −1 of a producer that is not idempotent. */
  readonly producerId: bigint;
  readonly records: number;
}

/** Headers of the batches of a partition, from its start, in one request: not more than 10 MB. */
export async function batchHeaders(config: KafkaConfig, topic: string, partition: number): Promise<BatchHeader[]> {
  const cluster = await createCluster(config);
  try {
    await cluster.connect();
    await cluster.addMultipleTargetTopics([topic]);
    const leader = cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) => partitionId === partition)?.leader ?? -1;
    const broker = await cluster.findBroker({ nodeId: leader });
    const topics = [{ topic, partitions: [{ partition, fetchOffset: '0', maxBytes: 10_000_000 }] }];
    const request = fetchRequest({ replicaId: -1, maxWaitTime: 0, minBytes: 0, maxBytes: 10_000_000, isolationLevel: 0, topics });
    const records = await broker.connectionPool.send<Buffer>({
      request: request as Exchange<Buffer>['request'],
      response: { decode: (answer) => Promise.resolve(recordsOf(answer)), parse: (found) => Promise.resolve(found) },
    });
    return headersIn(records);
  } finally {
    await cluster.disconnect();
  }
}

/** Records in the answer to a fetch (version 4) of one partition. */
function recordsOf(answer: Buffer): Buffer {
  let at = 8; // throttle time, number of topics
  at += 2 + answer.readInt16BE(at); // name
  at += 4 + 4 + 2 + 8 + 8; // number of partitions, partition, error, high watermark, last stable offset
  const aborted = answer.readInt32BE(at);
  at += 4 + Math.max(0, aborted) * 16;
  const length = answer.readInt32BE(at);
  return answer.subarray(at + 4, at + 4 + length);
}

const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

function headersIn(records: Buffer): BatchHeader[] {
  const headers: BatchHeader[] = [];
  for (let at = 0; at + 61 <= records.length; at += 12 + records.readInt32BE(at + 8)) {
    const attributes = records.readInt16BE(at + 21);
    headers.push({
      compression: COMPRESSIONS[attributes & 7],
      timestampType: attributes & 8 ? 'LogAppendTime' : 'CreateTime',
      isTransactional: (attributes & 16) > 0,
      isControl: (attributes & 32) > 0,
      producerId: records.readBigInt64BE(at + 43),
      records: records.readInt32BE(at + 57),
    });
  }
  return headers;
}
