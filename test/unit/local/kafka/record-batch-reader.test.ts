import { describe, expect, test } from '@jest/globals';
import { readMessage } from '../../../../functions/channels/embedded/message-layout.ts';
import { BATCH } from '../../../../functions/channels/kafka/batch-layout.ts';
import { type EventRecords, MessageRecords } from '../../../../local/emulator/event-records.ts';
import { BatchRecords, readBatchHead } from '../../../../local/kafka/record-batch-reader.ts';
import { type BatchFields, recordBatch } from '../../../helpers/record-batch.ts';

const open = (batch: Buffer): BatchRecords => new BatchRecords(readBatchHead(batch), batch.subarray(BATCH.records));

const MESSAGES = [
  { key: null, value: Buffer.from('a') },
  { key: Buffer.alloc(0), value: null },
  { key: Buffer.from('k'), value: Buffer.alloc(9000, 1), headers: [['ü', Buffer.of(200)] as const] },
];

function fieldsOf(fields: BatchFields): unknown[] {
  const records = open(recordBatch(MESSAGES, fields));
  return Array.from({ length: records.count }, (_, i) => {
    const { offset, timestamp, timestampType } = records.messageAt(i);
    return [offset, records.offsetAt(i), timestamp, records.timeAt(i), timestampType];
  });
}

describe('BatchRecords', () => {
  test('tells keys, values and headers, and missing ones from empty ones', () => {
    const records = open(recordBatch(MESSAGES));

    expect(MESSAGES.map((_, i) => records.messageAt(i))).toMatchObject(MESSAGES.map((message) => ({ headers: [], ...message })));
  });

  test("numbers and times are the batch's and what each record adds; where the broker sets the time, all have the batch's last", () => {
    const last = 5 + 2000;

    expect(fieldsOf({ firstOffset: 2 ** 40, firstTime: 5 })).toEqual([
      [2 ** 40, 2 ** 40, 5, 5, 'CREATE_TIME'],
      [2 ** 40 + 1, 2 ** 40 + 1, 1005, 1005, 'CREATE_TIME'],
      [2 ** 40 + 2, 2 ** 40 + 2, last, last, 'CREATE_TIME'],
    ]);
    expect(fieldsOf({ firstTime: 5, attributes: 8 })).toEqual([0, 1, 2].map((i) => [i, i, last, last, 'LOG_APPEND_TIME']));
  });

  test('writes the same bytes of a record as one that was taken apart', () => {
    const records = open(recordBatch(MESSAGES, { firstOffset: 7 }));
    const apart = new MessageRecords(MESSAGES.map((_, i) => records.messageAt(i)));

    const bytesOf = (from: EventRecords, i: number): Buffer => {
      const bytes = Buffer.alloc(from.roomAt(i));
      return bytes.subarray(0, from.writeMessage(i, bytes, 0));
    };
    expect(MESSAGES.map((_, i) => bytesOf(records, i))).toEqual(MESSAGES.map((_, i) => bytesOf(apart, i)));
    expect(readMessage(bytesOf(records, 2), 0)).toMatchObject(MESSAGES[2] ?? {});
  });

  test.each([
    ['ends too soon', (batch: Buffer) => batch.subarray(0, -1)],
    ['claims more records', (batch: Buffer) => (batch.writeInt32BE(4, 57), batch)],
    ['claims a record for every byte', (batch: Buffer) => (batch.writeInt32BE(batch.length, 57), batch)],
    ['has a record that claims to be longer', (batch: Buffer) => ((batch[BATCH.records] = 40), batch)],
  ])('refuses a batch that %s', (_, damage) => {
    const batch = damage(recordBatch(MESSAGES));

    expect(() => open(batch)).toThrow(RangeError);
  });
});
