import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ChannelWriter, OutgoingMessage } from '../../functions/channels/channel-writer.ts';

/** One implementation, with topics to write to and a way to see what was written. */
export interface ChannelWriterSubject {
  readonly writer: ChannelWriter;
  createTopic(name: string, partitions: number, maxMessageBytes?: number): Promise<void>;
  read(topic: string, partition: number): Promise<readonly Required<OutgoingMessage>[]>;
  close(): Promise<void>;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const message = (value: string): OutgoingMessage => ({ key: null, value: text(value) });

/** What every ChannelWriter must do. */
export function channelWriterContract(name: string, open: () => Promise<ChannelWriterSubject>): void {
  describe(`ChannelWriter contract: ${name}`, () => {
    let subject: ChannelWriterSubject;
    const values = async (partition: number): Promise<string[]> =>
      (await subject.read('t', partition)).map(({ value }) => Buffer.from(value ?? []).toString());

    beforeEach(async () => {
      subject = await open();
      await subject.createTopic('t', 3, 4096);
    });
    afterEach(() => subject.close());

    test('tells the number of partitions', async () => {
      await expect(subject.writer.partitionCount('t')).resolves.toBe(3);
    });

    test('appends in order, to the partition that was named', async () => {
      await subject.writer.append('t', 1, [message('a'), message('b')]);
      await subject.writer.append('t', 1, [message('c')]);
      await subject.writer.append('t', 2, [message('d')]);

      expect([await values(0), await values(1), await values(2)]).toEqual([[], ['a', 'b', 'c'], ['d']]);
    });

    test('keeps keys, tombstones, empty values and headers in their order, equal names included', async () => {
      const headers = [
        ['b', text('1')],
        ['b', Uint8Array.of(0, 255)],
        ['ä', text('')],
      ] as const;
      await subject.writer.append('t', 0, [
        { key: text('k'), value: null, headers },
        { key: new Uint8Array(), value: new Uint8Array() },
        { key: null, value: text('v') },
      ]);

      const [tombstone, empty, plain] = await subject.read('t', 0);
      expect(tombstone?.value).toBeNull();
      expect(tombstone?.headers.map(([header, value]) => [header, [...value]])).toEqual([
        ['b', [49]],
        ['b', [0, 255]],
        ['ä', []],
      ]);
      expect([empty?.key, empty?.value].map((bytes) => bytes?.length)).toEqual([0, 0]);
      expect(plain?.key).toBeNull();
    });

    test('takes an empty list', async () => {
      await subject.writer.append('t', 0, []);

      await expect(values(0)).resolves.toEqual([]);
    });

    test('does not look at the bytes again after it has resolved', async () => {
      const value = text('before');
      await subject.writer.append('t', 0, [{ key: null, value }]);
      value.fill(0);

      await expect(values(0)).resolves.toEqual(['before']);
    });

    test('refuses a message over the limit, and what follows it', async () => {
      const large = { key: null, value: new Uint8Array(5000).fill(7) };

      await expect(subject.writer.append('t', 0, [large, message('a')])).rejects.toMatchObject({ code: 'MILLRACE_MESSAGE_TOO_LARGE' });
      await expect(values(0)).resolves.toEqual([]);
    });

    test('appends a list that is over the limit as a whole, if each message fits', async () => {
      const list = Array.from({ length: 200 }, (_, i) => String(i).padStart(100, '.'));
      await subject.writer.append('t', 0, list.map(message));

      await expect(values(0)).resolves.toEqual(list);
    });

    test.each([
      ['missing', 0],
      ['t', 3],
    ])('names what is missing: topic %s partition %i', async (topic, partition) => {
      await expect(subject.writer.append(topic, partition, [message('a')])).rejects.toMatchObject({ code: 'MILLRACE_TOPIC_MISSING' });
    });

    test('has no partition count of a missing topic', async () => {
      await expect(subject.writer.partitionCount('missing')).rejects.toMatchObject({ code: 'MILLRACE_TOPIC_MISSING' });
    });

    test('appends to several partitions side by side', async () => {
      const appends = Array.from({ length: 300 }, (_, i) => subject.writer.append('t', i % 3, [message(String(i))]));
      await Promise.all(appends);

      const lengths = await Promise.all([0, 1, 2].map(async (partition) => (await values(partition)).length));
      expect(lengths).toEqual([100, 100, 100]);
    });

    test('closes', async () => {
      await subject.writer.append('t', 0, [message('a')]);

      await expect(subject.writer.close()).resolves.toBeUndefined();
    });
  });
}
