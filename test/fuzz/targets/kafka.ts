import { messageEnd } from '../../../functions/channels/embedded/message-layout.ts';
import { BATCH } from '../../../functions/channels/kafka/batch-layout.ts';
import { BatchRecords, readBatchHead } from '../../../local/kafka/record-batch-reader.ts';
import { bytesTarget } from '../target.ts';
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
