import type { OutgoingMessage } from '../channel-writer.ts';
import type { Exchange, Identity } from './kafkajs-cluster.ts';
import { type BatchCompression, encodeRecordBatch } from './record-batch.ts';
import { int16, int32, text, WireReader } from './wire.ts';

/** Version 7 (Kafka 2.1): of those that all brokers of today know the one that every compression may be used with. */
const API_KEY = 0;
const API_VERSION = 7;
const FROM_ALL_REPLICAS = -1;

export interface ProduceRequest extends Identity {
  /** In ms, for the replicas. */
  readonly timeout: number;
  readonly compression?: BatchCompression;
  readonly topicData: readonly { readonly topic: string; readonly partitions: readonly RecordList[] }[];
}

/** Becomes one record batch. */
interface RecordList {
  readonly partition: number;
  readonly firstSequence: number;
  readonly messages: readonly OutgoingMessage[];
}

export interface ProduceAnswer {
  readonly topics: readonly { readonly topicName: string; readonly partitions: readonly PartitionAnswer[] }[];
}

interface PartitionAnswer {
  readonly partition: number;
  readonly errorCode: number;
}

/** Appends to partitions of one leader; what it says to each of them is the caller's to judge. */
export function produceExchange(request: ProduceRequest, now: () => number = Date.now): Exchange<ProduceAnswer> {
  return {
    request: {
      apiKey: API_KEY,
      apiVersion: API_VERSION,
      apiName: 'Produce',
      encode: async () => {
        const buffer = await encodeRequest(request, now());
        return { buf: buffer, buffer };
      },
    },
    response: { decode: (answer) => Promise.resolve(decodeAnswer(answer)), parse: (decoded) => Promise.resolve(decoded) },
  };
}

async function encodeRequest(
  { transactionalId, timeout, compression, topicData, ...producer }: ProduceRequest,
  time: number,
): Promise<Buffer> {
  const parts = [text(transactionalId), int16(FROM_ALL_REPLICAS), int32(timeout), int32(topicData.length)];
  for (const { topic, partitions } of topicData) {
    parts.push(text(topic), int32(partitions.length));
    for (const { partition, firstSequence, messages } of partitions) {
      const batch = await encodeRecordBatch(messages, { ...producer, firstSequence }, time, compression);
      parts.push(int32(partition), int32(batch.length), batch);
    }
  }
  return Buffer.concat(parts);
}

/** What goes beyond the end throws a RangeError. */
function decodeAnswer(answer: Buffer): ProduceAnswer {
  const reader = new WireReader(answer);
  const partitionAnswer = (): PartitionAnswer => {
    const [partition, errorCode] = [reader.int32(), reader.int16()];
    reader.skip(24); // first offset, log append time, first offset of the log
    return { partition, errorCode };
  };
  return { topics: reader.list(() => ({ topicName: reader.text(), partitions: reader.list(partitionAnswer) })) };
}
