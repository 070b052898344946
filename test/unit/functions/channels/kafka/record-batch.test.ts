import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import type { OutgoingMessage } from '../../../../../functions/channels/channel-writer.ts';
import { type BatchCompression, encodeRecordBatch } from '../../../../../functions/channels/kafka/record-batch.ts';

/** kafkajs's own reader, which takes a batch as brokers send it. */
/* eslint-disable @typescript-eslint/no-require-imports -- its types leave out what lies below its public API */
const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => { readonly offset: number };
const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (decoder: object) => Promise<DecodedBatch>;
const kafkajsChecksum = require('kafkajs/src/protocol/recordBatch/crc32C') as (bytes: Buffer) => number;
/* eslint-enable @typescript-eslint/no-require-imports */

interface DecodedBatch {
  readonly inTransaction: boolean;
  readonly producerId: string;
  readonly producerEpoch: number;
  readonly firstSequence: number;
  readonly lastOffsetDelta: number;
  readonly records: readonly {
    readonly offset: string;
    readonly timestamp: string;
    readonly key: Buffer | null;
    readonly value: Buffer | null;
    readonly headers: Readonly<Record<string, Buffer | Buffer[]>>;
  }[];
}

const producer = { producerId: '9007199254740993', producerEpoch: 7, firstSequence: 2 ** 31 - 1 };
const TIME = 1_700_000_000_123;

const decoded = (batch: Buffer): Promise<DecodedBatch> => decodeBatch(new Decoder(batch));

describe('encodeRecordBatch', () => {
  test('is what kafkajs reads, with lengths of one to three bytes', async () => {
    const lengths = [0, 1, 63, 64, 8191, 8192, 100_000];
    const messages: OutgoingMessage[] = lengths.map((length, i) => ({ key: Buffer.alloc(i), value: Buffer.alloc(length, i) }));
    const batch = await decoded(await encodeRecordBatch(messages, producer, TIME));

    expect(batch).toMatchObject({ ...producer, inTransaction: true, lastOffsetDelta: lengths.length - 1 });
    expect(batch.records.map(({ offset, timestamp, key, value }) => [Number(offset), Number(timestamp), key?.length, value])).toEqual(
      messages.map(({ key, value }, i) => [i, TIME, key?.length, value]),
    );
  });

  test('tells missing keys and values from empty ones, and keeps headers of one name in order', async () => {
    const headers = [
      ['ä', Buffer.of(1)],
      ['b', new Uint8Array()],
      ['ä', Buffer.of(2)],
    ] as const;
    const messages = [
      { key: null, value: new Uint8Array(), headers },
      { key: new Uint8Array(), value: null },
    ];
    const { records } = await decoded(await encodeRecordBatch(messages, producer, TIME));

    expect(records.map(({ key, value }) => [key, value])).toEqual([
      [null, Buffer.alloc(0)],
      [Buffer.alloc(0), null],
    ]);
    expect(records[0]?.headers).toEqual({ ä: [Buffer.of(1), Buffer.of(2)], b: Buffer.alloc(0) });
  });

  test('numbers ten thousand records', async () => {
    const messages = Array.from({ length: 10_000 }, (_, i) => ({ key: null, value: Buffer.from(String(i)) }));
    const { records } = await decoded(await encodeRecordBatch(messages, producer, TIME));

    expect(records.map(({ offset, value }) => [offset, String(value)])).toEqual(messages.map((_, i) => [String(i), String(i)]));
  });

  test('keeps the times that messages have, however far apart; the others get that of writing', async () => {
    const times = [TIME + 5, undefined, TIME - 1_000_000_000_000, 0];
    const messages = times.map((timestamp) => ({ key: null, value: null, ...(timestamp !== undefined && { timestamp }) }));
    const { records } = await decoded(await encodeRecordBatch(messages, producer, TIME));

    expect(records.map(({ timestamp }) => Number(timestamp))).toEqual([TIME + 5, TIME, TIME - 1_000_000_000_000, 0]);
  });

  test('has the checksum that brokers compare', async () => {
    const batch = await encodeRecordBatch([{ key: null, value: Buffer.from('a') }], producer, TIME);

    expect(batch.readUInt32BE(17)).toBe(kafkajsChecksum(batch.subarray(21)));
  });

  test('compresses the records, and says how', async () => {
    const compression: BatchCompression = { id: 1, compress: promisify<Buffer, Buffer>(gzip) };
    const messages = Array.from({ length: 100 }, () => ({ key: null, value: Buffer.alloc(1000) }));
    const bytes = await encodeRecordBatch(messages, producer, TIME, compression);

    expect(bytes.length).toBeLessThan(1000);
    expect((await decoded(bytes)).records.map(({ value }) => value)).toEqual(messages.map(({ value }) => value));
  });
});
