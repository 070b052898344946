import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import type { OutgoingMessage } from '../../../../functions/channels/channel-writer.ts';
import { createKafkaClient } from '../../../../functions/channels/kafka/client.ts';
import { parseKafkaConfig } from '../../../../functions/channels/kafka/config.ts';
import { decodeFetch, type RawBatch, withRawFetch } from '../../../../local/kafka/raw-fetch.ts';
import { recordBatch } from '../../../helpers/record-batch.ts';

/* eslint-disable @typescript-eslint/no-require-imports -- kafkajs's own readers, which have no types */
const decoderOf = (version: number): ((answer: Buffer) => Promise<Decoded>) =>
  (require(`kafkajs/src/protocol/requests/fetch/v${version}/response`) as { decode: (answer: Buffer) => Promise<Decoded> }).decode;
const Batch = require('kafkajs/src/consumer/batch') as new (topic: string, offset: string, partition: object) => DecodedBatch;
/* eslint-enable @typescript-eslint/no-require-imports */

interface Decoded {
  readonly responses: readonly { readonly topicName: string; readonly partitions: readonly DecodedPartition[] }[];
}

interface DecodedPartition {
  readonly partition: number;
  readonly messages: readonly RawBatch[];
}

interface DecodedBatch {
  readonly messages: readonly { readonly offset: string }[];
  lastOffset(): string;
}

const VERSIONS = [4, 5, 6, 7, 8, 9, 10, 11];
const ABORTED = 77;
const message = (value: string): OutgoingMessage => ({ key: null, value: Buffer.from(value) });
const marker: OutgoingMessage = { key: Buffer.alloc(4), value: Buffer.alloc(6) };

function bytes(size: number, ...values: number[]): Buffer {
  const buffer = Buffer.alloc(size * values.length);
  for (const [i, value] of values.entries())
    if (size === 8) buffer.writeBigInt64BE(BigInt(value), i * 8);
    else buffer.writeIntBE(value, i * size, size);
  return buffer;
}

/** An answer about one partition, as brokers write it. */
function answer(version: number, recordSet: Buffer): Buffer {
  return Buffer.concat([
    bytes(4, 3), // throttle time
    ...(version >= 7 ? [bytes(2, 0), bytes(4, 9)] : []),
    ...[bytes(4, 1), bytes(2, 1), Buffer.from('t'), bytes(4, 1)],
    ...[bytes(4, 5), bytes(2, 0), bytes(8, 100, 90)],
    ...(version >= 5 ? [bytes(8, 1)] : []),
    ...[bytes(4, 1), bytes(8, ABORTED, 12)],
    ...(version >= 11 ? [bytes(4, -1)] : []),
    ...[bytes(4, recordSet.length), recordSet],
  ]);
}

const RECORDS = Buffer.concat([
  recordBatch([message('a'), message('b')], { firstOffset: 10 }),
  recordBatch([message('lost')], { firstOffset: 12, attributes: 16, producerId: ABORTED }),
  recordBatch([message('kept')], { firstOffset: 13, attributes: 16, producerId: 78 }),
  recordBatch([marker], { firstOffset: 14, attributes: 48, producerId: ABORTED }),
  recordBatch([message('again')], { firstOffset: 15, attributes: 16, producerId: ABORTED }),
  recordBatch([message('c'), message('d')], { firstOffset: 16, attributes: 1, compress: (records) => gzipSync(records) }),
]);

const partitionOf = (decoded: Decoded): DecodedPartition => decoded.responses[0]?.partitions[0] as DecodedPartition;

describe('decodeFetch', () => {
  test.each(VERSIONS)('reads version %d as kafkajs does, but for the messages', async (version) => {
    const ours = (await decodeFetch(answer(version, RECORDS), version)) as Decoded;
    const theirs = await decoderOf(version)(answer(version, RECORDS));
    const { lastStartOffset: _left, messages: _all, ...rest } = partitionOf(theirs) as DecodedPartition & { lastStartOffset?: string };

    expect(ours.responses[0]?.topicName).toBe('t');
    expect(partitionOf(ours)).toMatchObject(rest);
  });

  test('kafkajs leaves out aborted transactions and markers of it, and keeps its place', async () => {
    const batch = new Batch('t', '11', partitionOf((await decodeFetch(answer(11, RECORDS), 11)) as Decoded));
    const values = (batch.messages as readonly RawBatch[]).map(({ records }) =>
      Array.from({ length: records.count }, (_, i) => String(records.messageAt(i).value)),
    );

    expect(values).toEqual([['a', 'b'], ['kept'], ['again'], ['c', 'd']]);
    expect(batch.lastOffset()).toBe('17');
  });

  test('leaves out a batch that the limit of the answer cuts off', async () => {
    const cut = RECORDS.subarray(0, RECORDS.length - 1);

    expect(partitionOf((await decodeFetch(answer(11, cut), 11)) as Decoded).messages).toHaveLength(5);
    expect(partitionOf((await decodeFetch(answer(11, Buffer.alloc(0)), 11)) as Decoded).messages).toEqual([]);
  });

  test('leaves record sets of an old format to kafkajs', async () => {
    const old = Buffer.from(RECORDS);
    old.writeInt8(1, 16);

    await expect(decodeFetch(answer(11, old), 11)).resolves.toBeUndefined();
  });

  test('refuses a compression that nobody knows', async () => {
    const records = recordBatch([message('a')], { attributes: 7 });

    await expect(decodeFetch(answer(11, records), 11)).rejects.toThrow('compression 7');
  });
});

test('finds what it needs in the kafkajs that is installed', () => {
  const client = createKafkaClient(parseKafkaConfig({ MILLRACE_KAFKA: '127.0.0.1:9' }));

  expect(() => withRawFetch(client).consumer({ groupId: 'g' })).not.toThrow();
});
