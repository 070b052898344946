import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { OutgoingMessage } from '../../../../functions/channels/channel-writer.ts';
import { type EventMessage, MessageRecords } from '../../../../local/emulator/event-records.ts';
import { FunctionEmulator } from '../../../../local/emulator/function-emulator.ts';
import { KafkaEventBuilder } from '../../../../local/emulator/kafka-event-builder.ts';
import { EmbeddedLog } from '../../../../local/log/embedded-log.ts';
import { BatchRecords, readBatchHead } from '../../../../local/kafka/record-batch-reader.ts';
import { BATCH } from '../../../../functions/channels/kafka/batch-layout.ts';
import { recordBatch } from '../../../helpers/record-batch.ts';
import { unpackEvent } from '../../../helpers/unpack-event.ts';
import { TemporaryFolder } from '../bundle-file.ts';
import { ManualLocalClock } from '../manual-local-clock.ts';

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const field = fc.option(bytes, { nil: null });
const headers = fc.uniqueArray(fc.tuple(fc.oneof(fc.string({ unit: 'grapheme', maxLength: 8 }), fc.constant('__proto__')), bytes), {
  maxLength: 3,
  selector: ([name]) => name,
});
const messages = fc.array(fc.record({ key: field, value: field, headers }), { minLength: 1, maxLength: 12 });

/** A record as AWS documents it, by hand. */
function expected({ key, value, headers, ...rest }: Omit<EventMessage, 'bytes'>, place: { topic: string; partition: number }): unknown {
  return JSON.parse(
    JSON.stringify({
      ...place,
      ...rest,
      ...(key ? { key: Buffer.from(key).toString('base64') } : {}),
      value: value ? Buffer.from(value).toString('base64') : null,
      headers: headers.map(([name, value]) => Object.fromEntries([[name, [...value]]])),
    }),
  );
}

describe('an event', () => {
  test('has the records of a Kafka topic as AWS writes them, however they were read, and is as long as its JSON', () => {
    fc.assert(
      fc.property(messages, fc.nat(2 ** 40), fc.boolean(), (list, firstOffset, isLogTime) => {
        const batch = recordBatch(list, { firstOffset, firstTime: 1_700_000_000_000, attributes: isLogTime ? 8 : 0 });
        const records = new BatchRecords(readBatchHead(batch), batch.subarray(BATCH.records));
        const apart = new MessageRecords(list.map((_, i) => records.messageAt(i)));
        for (const read of [records, apart]) {
          const builder = new KafkaEventBuilder('b:1', 1e6);
          builder.addRecords({ topic: 't', partition: 3, tenure: 1 }, [{ records: read, from: 0 }], 100);
          const event = unpackEvent(builder.event());
          const all = list.map((message, i) => {
            const { offset, timestamp, timestampType } = records.messageAt(i);
            return expected({ ...message, offset, timestamp, timestampType }, { topic: 't', partition: 3 });
          });
          expect(JSON.parse(JSON.stringify(event))).toEqual({
            eventSource: 'SelfManagedKafka',
            bootstrapServers: 'b:1',
            records: { 't-3': all },
          });

          const json = asciiLength(event);
          builder.release();
          for (const [limit, fits] of [
            [json, list.length],
            [json - 1, Math.max(1, list.length - 1)],
          ] as const) {
            const limited = new KafkaEventBuilder('b:1', limit);
            limited.addRecords({ topic: 't', partition: 3, tenure: 1 }, [{ records: read, from: 0 }], 100);
            expect(limited.recordCount).toBe(fits);
            limited.release();
          }
        }
      }),
    );
  });

  test('has those of the embedded log, from several appends and partitions', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(messages, { minLength: 1, maxLength: 4 }), fc.nat(3), async (appends, from) => {
        const log = new EmbeddedLog({ clock: new ManualLocalClock() });
        log.createTopic('t', 2);
        const all: OutgoingMessage[][] = [[], []];
        for (const [i, list] of appends.entries()) {
          await log.append('t', i % 2, list);
          all[i % 2]?.push(...list);
        }
        const builder = new KafkaEventBuilder('embedded:9092', 1e6);
        for (const partition of log.partitions('t')) builder.add(partition, from, 100);

        const { records } = unpackEvent(builder.event());
        for (const partition of [0, 1]) {
          const given = (all[partition] ?? []).slice(from).map((message, i) => {
            const place = { offset: from + i, timestamp: 0, timestampType: 'LOG_APPEND_TIME' as const };
            return expected({ headers: [], ...message, ...place }, { topic: 't', partition });
          });
          const timeless = (records[`t-${partition}`] ?? []).map((record) => ({ ...record, timestamp: 0 }));
          expect(JSON.parse(JSON.stringify(timeless))).toEqual(given);
        }
        builder.release();
      }),
      { numRuns: 50 },
    );
  });

  test('reaches a handler in its own thread, and again', async () => {
    const folder = new TemporaryFolder();
    const emulator = new FunctionEmulator({ name: 'f', bundlePath: folder.bundle('exports.handler = async (event) => event;') });
    const builder = new KafkaEventBuilder('b:1', 1e6);
    builder.addRecords({ topic: 't', partition: 0, tenure: 1 }, [{ records: new MessageRecords([MESSAGE, MESSAGE]), from: 0 }], 100);
    const event = builder.event();

    for (let i = 0; i < 2; i++) expect(JSON.parse((await emulator.invoke(event)).payload)).toEqual(unpackEvent(event));
    await emulator.close();
    folder.remove();
  });

  test('events under way at the same time, and one after another in the same room, keep apart', () => {
    const build = (text: string, count: number): KafkaEventBuilder => {
      const builder = new KafkaEventBuilder('b:1', 1e6);
      const records = new MessageRecords(Array.from({ length: count }, () => ({ ...MESSAGE, value: Buffer.from(text.repeat(100)) })));
      builder.addRecords({ topic: 't', partition: 0, tenure: 1 }, [{ records, from: 0 }], 10_000);
      return builder;
    };
    const valuesOf = (builder: KafkaEventBuilder): Set<string> =>
      new Set(
        (unpackEvent(builder.event()).records['t-0'] ?? []).map(({ value }) => Buffer.from(value ?? '', 'base64').toString()[0] ?? ''),
      );
    const [first, second] = [build('a', 2000), build('b', 1)];
    first.release();
    const third = build('c', 500);

    expect([valuesOf(second), valuesOf(third)]).toEqual([new Set('b'), new Set('c')]);
  });
});

const MESSAGE: EventMessage = {
  ...{
    key: Buffer.from('k'),
    value: Buffer.from('v'),
    headers: [['ü', Buffer.of(200)]],
    offset: 7,
    timestamp: 5,
    timestampType: 'CREATE_TIME',
    bytes: 4,
  },
};

/** Length of the JSON with all but ASCII escaped, as an event on the wire has it. */
function asciiLength(value: unknown): number {
  return JSON.stringify(value).replace(/[^\x20-\x7e]/g, '______').length;
}
