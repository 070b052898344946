import { messageEnd } from '../../../functions/channels/embedded/message-layout.ts';
import { BATCH } from '../../../functions/channels/kafka/batch-layout.ts';
import { lz4Codec } from '../../../functions/channels/kafka/compression/lz4.ts';
import { snappyCodec } from '../../../functions/channels/kafka/compression/snappy.ts';
import { int16, int32, text } from '../../../functions/channels/kafka/wire.ts';
import { parseFetch } from '../../../local/kafka/raw-fetch.ts';
import { BatchRecords, readBatchHead } from '../../../local/kafka/record-batch-reader.ts';
import { bytesTarget, type FuzzTarget } from '../target.ts';
import { recordBatch } from '../../helpers/record-batch.ts';

const header = ['trace', Buffer.from('abc')] as const;

/** What brokers keep, as a producer sent it. */
export const RECORD_BATCHES = bytesTarget({
  name: 'record batches of Kafka',
  corpus: [
    recordBatch([{ key: null, value: Buffer.from('v') }]),
    recordBatch(Array.from({ length: 20 }, (_, i) => ({ key: Buffer.alloc(i), value: Buffer.alloc(i * 7), headers: [header] }))),
  ],
  codes: [],
  isDocumented: (error) => (error as Error).name === 'RangeError', // of another realm where Node.js throws it
  parse: (input) => {
    const records = new BatchRecords(readBatchHead(input), input.subarray(BATCH.records));
    for (let i = 0; i < records.count; i++) {
      const { offset, key, value, headers } = records.messageAt(i);
      const read = (key?.length ?? 0) + (value?.length ?? 0) + headers.reduce((sum, [name, bytes]) => sum + name.length + bytes.length, 0);
      if (read > input.length || offset !== records.offsetAt(i)) throw new Error('more than there is');
      const packed = Buffer.alloc(records.roomAt(i));
      const end = records.writeMessage(i, packed, 0);
      if (messageEnd(packed, 0) !== end) throw new Error('no message of an event');
    }
  },
});

const RECORDS = Buffer.from(Array.from({ length: 3000 }, (_, i) => JSON.stringify({ id: i, customer: `c${i % 7}` })).join());

/** What a producer has compressed, of which nobody knows how long it was before. */
function compressed(name: string, { compress, decompress }: typeof lz4Codec): FuzzTarget {
  return bytesTarget({
    name: `records in ${name}`,
    corpus: [RECORDS, Buffer.alloc(100_000, 'a'), Buffer.alloc(0)].map((records) => Buffer.from(compress(records))),
    codes: [],
    isDocumented: (error) => typeof (error as Error).message === 'string' && !(error instanceof TypeError),
    parse: (input) => void decompress(input),
  });
}

export const LZ4 = compressed('LZ4', lz4Codec);
export const SNAPPY = compressed('Snappy', snappyCodec);

const int64 = (value: number): Buffer => Buffer.concat([int32(0), int32(value)]);

/** What stands around record sets in a broker's answer, in the newest version that is read. */
export const FETCHES = bytesTarget({
  name: 'answers to fetches',
  corpus: [
    Buffer.concat([
      ...[int32(0), int16(0), int32(0), int32(1), text('orders'), int32(2)],
      ...[0, 1].flatMap((partition) => [
        ...[int32(partition), int16(0), int64(100), int64(90), int64(0), int32(1), int64(7), int64(12), int32(-1)],
        ...[int32(200), Buffer.alloc(200)],
      ]),
    ]),
  ],
  codes: [],
  isDocumented: (error) => (error as Error).name === 'RangeError',
  parse: (input) => {
    const { responses } = parseFetch(input, 11);
    for (const { recordSet, abortedTransactions } of responses.flatMap(({ partitions }) => partitions))
      if (recordSet.length > input.length || abortedTransactions.length > input.length) throw new Error('more than there is');
  },
});
