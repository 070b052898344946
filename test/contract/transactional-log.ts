import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { OutgoingMessage } from '../../functions/channels/channel-writer.ts';
import type { TopicAppend, TransactionalLog } from '../../functions/channels/transactional-log.ts';

/** One implementation, with topics to write to and the view of a reader of committed messages. */
export interface TransactionalLogSubject {
  readonly log: TransactionalLog;
  /** Its messages are limited to 1 MiB and a little. */
  createTopic(name: string, partitions: number): Promise<void>;
  /** The values of all messages that are committed now, in order; does not wait for any. */
  readCommitted(topic: string, partition: number): Promise<readonly string[]>;
  close(): Promise<void>;
}

const message = (value: string): OutgoingMessage => ({ key: null, value: new TextEncoder().encode(value) });
const append = (partition: number, ...values: string[]): TopicAppend => ({ topic: 'out', partition, messages: values.map(message) });
const tooLarge = 'x'.repeat(1_200_000);

/** What every TransactionalLog must do. Topic `in` has the offsets, topic `out` the messages. */
export function transactionalLogContract(name: string, open: () => Promise<TransactionalLogSubject>): void {
  describe(`TransactionalLog contract: ${name}`, () => {
    let subject: TransactionalLogSubject;
    const openProducer = (id = 'a') => subject.log.openProducer(id, 'in', 1);
    const readAll = () => Promise.all([0, 1, 2].map((partition) => subject.readCommitted('out', partition)));

    beforeEach(async () => {
      subject = await open();
      await subject.createTopic('in', 2);
      await subject.createTopic('out', 3);
    });
    afterEach(() => subject.close());

    test('has no offset before one is committed', async () => {
      await expect(openProducer()).resolves.toMatchObject({ committed: undefined });
    });

    test('commits messages of several partitions, in order, and an offset that the next producer reads', async () => {
      const producer = await openProducer();
      await producer.commit([append(0, 'a', 'b'), append(2, 'c'), append(0, 'd')], 7);

      const next = await openProducer();
      expect(next.committed).toBe(7);
      await expect(readAll()).resolves.toEqual([['a', 'b', 'd'], [], ['c']]);
    });

    test('commits one transaction after another with one producer', async () => {
      const producer = await openProducer();
      for (let i = 0; i < 10; i++) await producer.commit(i % 3 === 0 ? [] : [append(i % 2, `m${i}`), append(2, `m${i}`)], i);

      const next = await openProducer();
      expect(next.committed).toBe(9);
      await expect(readAll()).resolves.toEqual([
        ['m2', 'm4', 'm8'],
        ['m1', 'm5', 'm7'],
        ['m1', 'm2', 'm4', 'm5', 'm7', 'm8'],
      ]);
    });

    test('keeps the offset that a producer was opened with, whatever is committed later', async () => {
      const producer = await openProducer();
      await producer.commit([], 3);

      expect(producer.committed).toBeUndefined();
    });

    test('sets the offset alone when there is nothing to append', async () => {
      const producer = await openProducer();
      await producer.commit([], 12);
      await producer.commit([{ topic: 'out', partition: 0, messages: [] }], 13);

      await expect(openProducer()).resolves.toMatchObject({ committed: 13 });
      await expect(readAll()).resolves.toEqual([[], [], []]);
    });

    test('sets the offset that is given, be it lower', async () => {
      const producer = await openProducer();
      await producer.commit([], 12);
      await producer.commit([], 0);

      await expect(openProducer()).resolves.toMatchObject({ committed: 0 });
    });

    test('refuses an older producer, and nothing of it is ever seen', async () => {
      const older = await openProducer();
      await older.commit([append(0, 'old')], 1);
      const newer = await openProducer();

      await expect(older.commit([append(0, 'zombie'), append(1, 'zombie')], 2)).rejects.toMatchObject({ code: 'MILLRACE_FENCED' });
      await newer.commit([append(0, 'new')], 3);
      await expect(older.commit([], 4)).rejects.toMatchObject({ retry: 'backoff' });

      await expect(readAll()).resolves.toEqual([['old', 'new'], [], []]);
      await expect(openProducer()).resolves.toMatchObject({ committed: 3 });
    });

    test('shows nothing of a transaction that failed half-way, and goes on with the next producer', async () => {
      const failing = await openProducer();
      await failing.commit([append(0, 'before')], 1);

      await expect(failing.commit([append(0, 'lost'), append(1, 'lost', tooLarge)], 2)).rejects.toMatchObject({
        code: 'MILLRACE_MESSAGE_TOO_LARGE',
      });
      await expect(readAll()).resolves.toEqual([['before'], [], []]);

      const next = await openProducer();
      expect(next.committed).toBe(1);
      await next.commit([append(0, 'after'), append(1, 'after')], 2);
      await expect(readAll()).resolves.toEqual([['before', 'after'], ['after'], []]);
    });

    test('does not end a transaction that is open when its producer is closed', async () => {
      const failing = await openProducer();
      await expect(failing.commit([append(0, 'lost'), append(1, tooLarge)], 2)).rejects.toThrow();
      await failing.close();

      await expect(openProducer()).resolves.toMatchObject({ committed: undefined });
      await expect(readAll()).resolves.toEqual([[], [], []]);
    });

    test.each([
      ['missing', 0],
      ['out', 3],
    ])('names what is missing: topic %s partition %i', async (topic, partition) => {
      const producer = await openProducer();
      const appends = [append(0, 'lost'), { topic, partition, messages: [message('lost')] }];

      await expect(producer.commit(appends, 1)).rejects.toMatchObject({ code: 'MILLRACE_TOPIC_MISSING' });
      await expect(openProducer()).resolves.toMatchObject({ committed: undefined });
      await expect(readAll()).resolves.toEqual([[], [], []]);
    });

    test('keeps producers of different names apart', async () => {
      const [a, b] = await Promise.all([openProducer('a'), openProducer('b')]);
      await Promise.all([a.commit([append(0, 'a1')], 1), b.commit([append(1, 'b1')], 10)]);
      const newer = await openProducer('a');
      await b.commit([append(1, 'b2')], 11);

      expect(newer.committed).toBe(1);
      await expect(openProducer('b')).resolves.toMatchObject({ committed: 11 });
      await expect(readAll()).resolves.toEqual([['a1'], ['b1', 'b2'], []]);
    });

    test('commits more than fits one message batch, in order', async () => {
      const values = Array.from({ length: 300 }, (_, i) => String(i).padStart(10_000, '.'));
      const producer = await openProducer();
      await producer.commit([append(0, ...values), append(1, 'a')], 1);
      await producer.commit([append(0, 'last')], 2);
      await openProducer(); // waits until it is visible

      const read = await subject.readCommitted('out', 0);
      expect(read.map((value) => value.slice(-4))).toEqual([...values, 'last'].map((value) => value.slice(-4)));
    });

    test('closes, with producers open', async () => {
      await openProducer();

      await expect(subject.log.close()).resolves.toBeUndefined();
    });
  });
}
