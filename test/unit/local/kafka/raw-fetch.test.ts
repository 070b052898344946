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
  readonly abortedTransactions: readonly object[];
}

interface DecodedBatch {
  readonly messages: readonly { readonly offset: string }[];
  lastOffset(): string;
}

const VERSIONS = [4, 5, 6, 7, 8, 9, 10, 11];
const ABORTED = 77;
const message = (value: string): OutgoingMessage => ({ key: null, value: Buffer.from(value) });
const marker: OutgoingMessage = { key: Buffer.alloc(4), value: Buffer.alloc(6) };
const commitMarker: OutgoingMessage = { key: Buffer.of(0, 0, 0, 1), value: Buffer.alloc(6) };

function bytes(size: number, ...values: number[]): Buffer {
  const buffer = Buffer.alloc(size * values.length);
  for (const [i, value] of values.entries())
    if (size === 8) buffer.writeBigInt64BE(BigInt(value), i * 8);
    else buffer.writeIntBE(value, i * size, size);
  return buffer;
}

/** An answer about one partition, as brokers write it. */
function answer(
  version: number,
  recordSet: Buffer,
  aborted: readonly (readonly [producerId: number, firstOffset: number])[] = [[ABORTED, 12]],
): Buffer {
  return Buffer.concat([
    bytes(4, 3), // throttle time
    ...(version >= 7 ? [bytes(2, 0), bytes(4, 9)] : []),
    ...[bytes(4, 1), bytes(2, 1), Buffer.from('t'), bytes(4, 1)],
    ...[bytes(4, 5), bytes(2, 0), bytes(8, 100, 90)],
    ...(version >= 5 ? [bytes(8, 1)] : []),
    ...[bytes(4, aborted.length), bytes(8, ...aborted.flat())],
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

/** What a consumer gets that asked for records from `offset` on. */
const readBatch = async (fetched: Buffer, offset = '0'): Promise<DecodedBatch> =>
  new Batch('t', offset, partitionOf((await decodeFetch(fetched, 11)) as Decoded));

const valuesOf = ({ messages }: DecodedBatch): string[][] =>
  (messages as readonly RawBatch[])
    .filter(({ records }) => records.count > 0)
    .map(({ records }) => Array.from({ length: records.count }, (_, i) => String(records.messageAt(i).value)));

const placesOf = ({ messages }: DecodedBatch): string[] => messages.map(({ offset }) => offset);

describe('decodeFetch', () => {
  test.each(VERSIONS)('reads version %d as kafkajs does, but for the messages', async (version) => {
    const ours = (await decodeFetch(answer(version, RECORDS), version)) as Decoded;
    const theirs = await decoderOf(version)(answer(version, RECORDS));
    const {
      lastStartOffset: _left,
      messages: _all,
      abortedTransactions: _done,
      ...rest
    } = partitionOf(theirs) as DecodedPartition & { lastStartOffset?: string };

    expect(ours.responses[0]?.topicName).toBe('t');
    expect(partitionOf(ours)).toMatchObject({ ...rest, abortedTransactions: [] });
  });

  test('has no records of aborted transactions and markers, and tells their places', async () => {
    const batch = await readBatch(answer(11, RECORDS), '11');

    expect(valuesOf(batch)).toEqual([['a', 'b'], ['kept'], ['again'], ['c', 'd']]);
    expect(placesOf(batch)).toEqual(['11', '12', '13', '14', '15', '17']);
    expect(batch.lastOffset()).toBe('17');
  });

  test('leaves out all of aborted transactions that overlap, whichever ends first', async () => {
    const inTransaction = (producerId: number, firstOffset: number, ...values: string[]): Buffer =>
      recordBatch(values.map(message), { firstOffset, attributes: 16, producerId });
    const end = (producerId: number, firstOffset: number, kind: OutgoingMessage): Buffer =>
      recordBatch([kind], { firstOffset, attributes: 48, producerId });
    const [a, b, c] = [1, 2, 3];
    const records = [
      ...[inTransaction(a, 0, 'a0', 'a1'), inTransaction(a, 2, 'a2'), inTransaction(b, 3, 'b0'), inTransaction(c, 4, 'c0')],
      ...[inTransaction(a, 5, 'a3', 'a4'), end(b, 7, marker), inTransaction(b, 8, 'kept b')],
      ...[end(a, 9, marker), end(c, 10, commitMarker), inTransaction(a, 11, 'kept a'), end(b, 12, commitMarker), end(a, 13, commitMarker)],
    ];
    // As brokers list them: in order of the markers.
    const batch = await readBatch(
      answer(11, Buffer.concat(records), [
        [b, 3],
        [a, 0],
      ]),
    );

    expect(valuesOf(batch)).toEqual([['c0'], ['kept b'], ['kept a']]);
    expect(batch.lastOffset()).toBe('13');
  });

  test('takes a commit marker for no end of an aborted transaction, and what is in none for no part of it', async () => {
    const records = [
      recordBatch([commitMarker], { firstOffset: 0, attributes: 48, producerId: ABORTED }),
      recordBatch([message('lost')], { firstOffset: 1, attributes: 16, producerId: ABORTED }),
      recordBatch([message('plain')], { firstOffset: 2, producerId: ABORTED }),
    ];

    expect(valuesOf(await readBatch(answer(11, Buffer.concat(records), [[ABORTED, 0]])))).toEqual([['plain']]);
  });

  test('passes over batches that the log cleaner has left without records', async () => {
    const records = [
      recordBatch([], { firstOffset: 0, lastOffset: 4, attributes: 48, producerId: ABORTED }),
      recordBatch([], { firstOffset: 5, lastOffset: 6 }),
      recordBatch([message('a')], { firstOffset: 7 }),
      recordBatch([], { firstOffset: 8, lastOffset: 9, attributes: 16, producerId: ABORTED }),
    ];
    const batch = await readBatch(answer(11, Buffer.concat(records), []));
    const emptied = await readBatch(answer(11, Buffer.concat(records.slice(0, 2)), []));

    expect([valuesOf(batch), batch.lastOffset()]).toEqual([[['a']], '9']);
    expect([valuesOf(emptied), placesOf(emptied)]).toEqual([[], ['4', '6']]);
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
