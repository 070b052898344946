import { expect, test } from '@jest/globals';
import type { FeedSource } from '../../functions/connectors/source.ts';
import { Feeder } from '../../local/feeder.ts';
import { openKafkaFeedTopic } from '../../local/kafka/kafka-feed-topic.ts';
import { readKafkaTopic } from '../../local/kafka/topic-reader.ts';
import { createTestTopic, describeWithKafka, freshName } from '../helpers/kafka.ts';

/** The records '0', '1', … in chunks of 700, filled up with blanks. */
function numbers(count: number, length = 0): FeedSource<unknown> {
  return {
    kind: 'feed',
    name: 'numbers',
    bounded: true,
    value: { name: 'none', encode: () => new Uint8Array(), decode: () => undefined },
    async *read() {
      await Promise.resolve();
      for (let from = 0; from < count; from += 700)
        yield Array.from({ length: Math.min(700, count - from) }, (_, i) => Buffer.from(String(from + i).padEnd(length)));
    },
  };
}

describeWithKafka('a feeder over Kafka', (config) => {
  test('puts the k-th record at offset ⌊k / N⌋ of partition k mod N, and goes on where an earlier one was stopped', async () => {
    const topic = freshName('feed');
    await createTestTopic(config, topic, 3);
    const feed = async (count: number): Promise<Feeder> => {
      const target = await openKafkaFeedTopic(config, topic);
      const feeder = new Feeder(target, numbers(count), new AbortController().signal);
      await expect(feeder.run()).resolves.toBe(true);
      await target.close();
      return feeder;
    };

    expect((await feed(1000)).stats).toMatchObject({ written: 1000, skipped: 0 });
    expect((await feed(5000)).stats).toMatchObject({ written: 4000, skipped: 1000 });

    const misplaced: string[] = [];
    let count = 0;
    await readKafkaTopic(config, topic, ({ partition, offset, value }) => {
      count++;
      if (Number(Buffer.from(value ?? []).toString()) !== offset * 3 + partition) misplaced.push(`${partition}:${offset}`);
    });
    expect([count, misplaced]).toEqual([5000, []]);
  });

  test.each([
    { title: 'that together are over the limit of a record batch', maxBytes: '1048588' },
    { title: 'of which the topic takes fewer at once than others do', maxBytes: '20000' },
  ])('writes records $title', async ({ maxBytes }) => {
    const topic = freshName('feed');
    await createTestTopic(config, topic, 2, { 'max.message.bytes': maxBytes });
    const target = await openKafkaFeedTopic(config, topic);
    await expect(new Feeder(target, numbers(700, 4000), new AbortController().signal).run()).resolves.toBe(true);
    await target.close();

    const wrong: string[] = [];
    let count = 0;
    await readKafkaTopic(config, topic, ({ partition, offset, value }) => {
      count++;
      const text = Buffer.from(value ?? []).toString();
      if (text.length !== 4000 || Number(text) !== offset * 2 + partition) wrong.push(`${partition}:${offset}`);
    });
    expect([count, wrong]).toEqual([700, []]);
  });

  test('ends when it meets records that it has not written: offsets would no longer tell which record is which', async () => {
    const topic = freshName('feed');
    await createTestTopic(config, topic, 2);
    const [first, second] = await Promise.all([openKafkaFeedTopic(config, topic), openKafkaFeedTopic(config, topic)]);
    const records = [[Buffer.from('0')], [Buffer.from('1')]];
    await first.append(records);
    await first.append(records);

    await expect(second.append(records)).rejects.toMatchObject({
      code: 'MILLRACE_TOPIC_MISMATCH',
      message: expect.stringMatching(/was at 2 where its feeder had left it at 0: somebody else writes to it/),
    });
    await Promise.all([first.close(), second.close()]);
  });
});
