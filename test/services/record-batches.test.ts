/** Record batches of our own on real brokers: what we encode is read by Java and by us, what others have aborted is read by nobody. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { Kafka, logLevel, type Producer } from 'kafkajs';
import { hasZstd } from '../../functions/channels/kafka/compression/zstd.ts';
import { type KafkaConfig, parseKafkaConfig } from '../../functions/channels/kafka/config.ts';
import { createKafkaTransactionalLog } from '../../functions/channels/kafka/transactional-log.ts';
import { openLz4, openSnappy, openZstd } from '../../functions/runtime/openers.ts';
import { readKafkaTopic, type TopicMessage } from '../../local/kafka/topic-reader.ts';
import { createTestTopic, freshName, withAdmin } from '../helpers/kafka.ts';
import { runKafkaTool } from '../helpers/kafka-tools.ts';
import { batchHeaders } from '../helpers/record-batches.ts';
import { describeWithServices } from '../helpers/services.ts';

const CODECS = { snappy: openSnappy, lz4: openLz4, zstd: openZstd };
const COMPRESSIONS = (['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const).filter((name) => name !== 'zstd' || hasZstd);

/** JSON that can be compressed, of several blocks of each format, and some that can't. */
const VALUES = [
  ...Array.from({ length: 1500 }, (_, i) => JSON.stringify({ id: i, customer: `c${i % 50}`, note: 'x'.repeat(i % 100) })),
  Array.from({ length: 3000 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 0).join(),
];

function suite(name: string, config: KafkaConfig): void {
  const producers: Producer[] = [];
  afterEach(async () => {
    await Promise.all(producers.splice(0).map((producer) => producer.disconnect()));
  });

  async function messagesOf(topic: string): Promise<TopicMessage[]> {
    const messages: TopicMessage[] = [];
    await readKafkaTopic(config, topic, (message) => messages.push(message));
    return messages;
  }

  const valuesOf = async (topic: string): Promise<string[]> => (await messagesOf(topic)).map(({ value }) => String(value));

  /** Of the log, once it holds so many offsets: markers are written a little after the end of a transaction. */
  async function untilEnd(topic: string, end: number): Promise<void> {
    while (Number((await withAdmin(config, (admin) => admin.fetchTopicOffsets(topic)))[0]?.high) < end)
      await new Promise((resolve) => setTimeout(resolve, 20));
  }

  describe(`record batches on ${name}`, () => {
    test.each(COMPRESSIONS)(
      '%s: what we write in a transaction Java reads, and so do we',
      async (compression) => {
        const topic = freshName(compression);
        await createTestTopic(config, topic, 1);
        const log = createKafkaTransactionalLog(config, Date.now, { produces: { [topic]: { compression } }, codecs: CODECS });
        const producer = await log.openProducer(freshName('producer'), topic, 0);
        const messages = VALUES.map((value, i) => ({
          key: Buffer.from(`k${i}`),
          value: Buffer.from(value),
          headers: [['place', Buffer.from(`ä${i}`)]] as const,
          timestamp: 1_700_000_000_000 - i, // the first is no least
        }));
        await producer.commit([{ topic, partition: 0, messages }], 1);
        await log.close();

        const headers = (await batchHeaders(config, topic, 0)).filter(({ isControl }) => !isControl);
        expect(new Set(headers.map((header) => header.compression))).toEqual(new Set([compression]));
        const printed = await runKafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
          ...['--bootstrap-server', config.brokers.join(), '--topic', topic, '--from-beginning', '--max-messages', String(VALUES.length)],
          ...['--isolation-level', 'read_committed', '--property', 'print.key=true', '--property', 'print.headers=true'],
          ...['--property', 'print.timestamp=true'],
        ]);
        expect(printed.trimEnd().split('\n')).toEqual(
          VALUES.map((value, i) => `CreateTime:${1_700_000_000_000 - i}\tplace:ä${i}\tk${i}\t${value}`),
        );
        await untilEnd(topic, VALUES.length + 1);
        const read = await messagesOf(topic);
        expect(read.map(({ key, value, timestamp }) => [String(key), String(value), timestamp])).toEqual(
          VALUES.map((value, i) => [`k${i}`, value, 1_700_000_000_000 - i]),
        );
        expect(read.every((message, i) => String(message.headers[0]?.[1]) === `ä${i}`)).toBe(true);
      },
      60_000,
    );

    test('of transactions that overlap only what was committed is read, whichever ended first', async () => {
      const topic = freshName('overlap');
      await createTestTopic(config, topic, 1);
      const client = new Kafka({ brokers: [...config.brokers], logLevel: logLevel.NOTHING });
      const [a, b, c] = await Promise.all(
        ['a', 'b', 'c'].map(async (id) => {
          const producer = client.producer({ transactionalId: freshName(id), maxInFlightRequests: 1, idempotent: true });
          producers.push(producer);
          await producer.connect();
          return producer;
        }),
      );
      if (!a || !b || !c) throw new Error('three producers');
      const [first, second, third] = [await a.transaction(), await b.transaction(), await c.transaction()];
      const send = (to: { send: Producer['send'] }, ...values: string[]) =>
        to.send({ topic, messages: values.map((value) => ({ value, partition: 0 })) });

      await send(first, 'a lost 1', 'a lost 2');
      await send(second, 'b lost');
      await send(third, 'c kept');
      await send(first, 'a lost 3');
      await second.abort(); // the later one ends first: brokers list it before the other
      const again = await b.transaction();
      await send(again, 'b kept');
      await first.abort();
      await third.commit();
      await again.commit();
      const plain = client.producer();
      producers.push(plain);
      await plain.connect();
      await send(plain, 'plain');
      await untilEnd(topic, 6 + 4 + 1);

      expect(await valuesOf(topic)).toEqual(['c kept', 'b kept', 'plain']);
    }, 60_000);
  });
}

describeWithServices(['kafka'], 'Kafka 3.9', ({ kafka }) => suite('Kafka 3.9', parseKafkaConfig({ MILLRACE_KAFKA: kafka.address })));
describeWithServices(['kafka4'], 'Kafka 4', ({ kafka4 }) => suite('Kafka 4', parseKafkaConfig({ MILLRACE_KAFKA: kafka4.address })));
