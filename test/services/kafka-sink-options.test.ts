/** What the options of `kafka.sink` do on a real Kafka: seen in its log, or by Kafka's own tools. */
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import type { ChannelWriter } from '../../functions/channels/channel-writer.ts';
import { createKafkaChannelWriter } from '../../functions/channels/kafka/channel-writer.ts';
import { hasZstd } from '../../functions/channels/kafka/compression/zstd.ts';
import { type KafkaConfig, parseKafkaConfig } from '../../functions/channels/kafka/config.ts';
import type { TopicProduction } from '../../functions/graph/stage-plan.ts';
import { openLz4, openSnappy, openZstd } from '../../functions/runtime/openers.ts';
import { readKafkaTopic, type TopicMessage } from '../../local/kafka/topic-reader.ts';
import { millrace, pipelineFile, Projects } from '../cli/command.ts';
import { API, openKafkaProxy } from '../helpers/kafka-proxy.ts';
import { runKafkaTool } from '../helpers/kafka-tools.ts';
import { createTestTopic, freshName, withAdmin } from '../helpers/kafka.ts';
import { batchHeaders } from '../helpers/record-batches.ts';
import { describeWithServices } from '../helpers/services.ts';

const CODECS = { snappy: openSnappy, lz4: openLz4, zstd: openZstd };
const DAY_MS = 86_400_000;
const projects = new Projects();
afterAll(() => projects.dispose());

/** JSON that can be compressed, of several blocks of each format, and some that can't. */
const VALUES = [
  ...Array.from({ length: 2000 }, (_, i) => JSON.stringify({ id: i, customer: `c${i % 50}`, note: 'x'.repeat(i % 100) })),
  Array.from({ length: 3000 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 0).join(),
];

function suite(config: KafkaConfig): void {
  const writers: ChannelWriter[] = [];
  afterEach(async () => {
    await Promise.all(writers.splice(0).map((writer) => writer.close()));
  });

  function open(topic: string, production: TopicProduction, brokers = config.brokers): ChannelWriter {
    const writer = createKafkaChannelWriter({ ...config, brokers }, Date.now, { produces: { [topic]: production }, codecs: CODECS });
    writers.push(writer);
    return writer;
  }

  async function messagesOf(topic: string): Promise<TopicMessage[]> {
    const messages: TopicMessage[] = [];
    await readKafkaTopic(config, topic, (message) => messages.push(message));
    return messages;
  }

  const valuesOf = async (topic: string): Promise<string[]> =>
    (await messagesOf(topic)).map(({ value }) => Buffer.from(value ?? []).toString());
  const toMessages = (values: readonly string[]) => values.map((value) => ({ key: null, value: Buffer.from(value) }));
  const endOf = async (topic: string): Promise<number> =>
    Number((await withAdmin(config, (admin) => admin.fetchTopicOffsets(topic)))[0]?.high);

  describe('compression', () => {
    const compressions = (['gzip', 'snappy', 'lz4', 'zstd'] as const).filter((name) => name !== 'zstd' || hasZstd);

    test.each(compressions)(
      '%s: batches are compressed so, smaller, and Java reads them',
      async (compression) => {
        const topic = freshName(compression);
        await createTestTopic(config, topic, 1);

        await open(topic, { compression }).append(topic, 0, toMessages(VALUES));

        const headers = await batchHeaders(config, topic, 0);
        expect(headers.map((header) => header.compression)).toEqual([compression]);
        const printed = await runKafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
          ...['--bootstrap-server', config.brokers.join(), '--topic', topic, '--from-beginning', '--max-messages', String(VALUES.length)],
        ]);
        expect(printed.trimEnd().split('\n')).toEqual(VALUES);
      },
      60_000,
    );

    test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)(
      '%s: what Java has written is read',
      async (compression) => {
        const topic = freshName(`java-${compression}`);
        await createTestTopic(config, topic, 1);

        const args = [
          '--bootstrap-server',
          config.brokers.join(),
          '--topic',
          topic,
          '--compression-codec',
          compression,
          '--batch-size',
          '100000',
        ];
        await runKafkaTool('kafka.tools.ConsoleProducer', args, `${VALUES.join('\n')}\n`);

        const headers = await batchHeaders(config, topic, 0);
        expect(new Set(headers.map((header) => header.compression))).toEqual(new Set([compression]));
        expect(await valuesOf(topic)).toEqual(VALUES);
      },
      60_000,
    );
  });

  describe('acks', () => {
    test("with 0 what the broker refuses is lost without a word, with 'all' it is an error", async () => {
      const topic = freshName('acks');
      await createTestTopic(config, topic, 1, { 'max.message.bytes': '2000' });
      const [large, small] = [toMessages(['x'.repeat(5000)]), toMessages(['small'])];

      await expect(open(topic, { acks: 'all' }).append(topic, 0, large)).rejects.toMatchObject({ code: 'MILLRACE_MESSAGE_TOO_LARGE' });
      await expect(open(topic, { acks: 1 }).append(topic, 0, large)).rejects.toMatchObject({ code: 'MILLRACE_MESSAGE_TOO_LARGE' });
      const careless = open(topic, { acks: 0 });
      await expect(careless.append(topic, 0, large)).resolves.toBeUndefined();
      await expect(open(topic, { acks: 0 }).append(topic, 0, small)).resolves.toBeUndefined();
      while ((await endOf(topic)) === 0) await new Promise(setImmediate); // it is acknowledged by nobody

      expect(await valuesOf(topic)).toEqual(['small']);
    });

    test.each([
      ['all', -1],
      [1, 1],
      [0, 0],
    ] as const)('%s is asked of the broker as %i', async (acks, asked) => {
      const topic = freshName('asked');
      await createTestTopic(config, topic, 1);
      const proxy = await openKafkaProxy(config.brokers[0] ?? '');

      await open(topic, { acks }, [proxy.address]).append(topic, 0, toMessages(['a']));

      while (proxy.produceAcks.length === 0) await new Promise(setImmediate);
      expect(proxy.produceAcks).toEqual([asked]);
      await proxy.close();
    });
  });

  describe('retries and idempotence', () => {
    /** Messages in the log after one append, the first answers to which are lost; and how often it was sent. */
    async function appendWithLostAnswers(
      production: TopicProduction,
      lost: number,
    ): Promise<{ held: number; sent: number; failed: boolean }> {
      const topic = freshName('retries');
      await createTestTopic(config, topic, 1);
      const proxy = await openKafkaProxy(config.brokers[0] ?? '');
      let answers = 0;
      proxy.fateOf = (apiKey) => (apiKey === API.produce && answers++ < lost ? 'lose-answer' : 'pass');
      const failed = await open(topic, production, [proxy.address])
        .append(topic, 0, toMessages(['once']))
        .then(
          () => false,
          () => true,
        );
      const sent = proxy.requests.filter((apiKey) => apiKey === API.produce).length;
      const held = (await valuesOf(topic)).length;
      await proxy.close();
      return { held, sent, failed };
    }

    test('what was sent again stands twice, unless the sink is idempotent', async () => {
      await expect(appendWithLostAnswers({}, 1)).resolves.toEqual({ held: 2, sent: 2, failed: false });
      await expect(appendWithLostAnswers({ idempotent: true }, 1)).resolves.toEqual({ held: 1, sent: 2, failed: false });
    });

    test('a request is sent again as often as the sink says', async () => {
      await expect(appendWithLostAnswers({ retries: 0 }, 9)).resolves.toMatchObject({ sent: 1, failed: true });
      await expect(appendWithLostAnswers({ retries: 2 }, 9)).resolves.toMatchObject({ sent: 3, failed: true });
      await expect(appendWithLostAnswers({ retries: 5 }, 4)).resolves.toMatchObject({ sent: 5, failed: false });
    }, 60_000);

    test('an idempotent sink has a producer id in the log, and keeps the order of appends side by side', async () => {
      const [topic, plain] = [freshName('idempotent'), freshName('plain')];
      await createTestTopic(config, topic, 1);
      await createTestTopic(config, plain, 1);
      const writer = open(topic, { idempotent: true });
      const values = Array.from({ length: 20 }, (_, i) => String(i));

      await Promise.all(values.map((value) => writer.append(topic, 0, toMessages([value]))));
      await writer.append(plain, 0, toMessages(['a']));

      expect(await valuesOf(topic)).toEqual(values);
      const ids = new Set((await batchHeaders(config, topic, 0)).map(({ producerId }) => producerId));
      expect([...ids].map((id) => id >= 0n)).toEqual([true]);
      expect(await batchHeaders(config, plain, 0)).toMatchObject([{ producerId: -1n, compression: 'none' }]);
    });
  });

  describe('in a pipeline', () => {
    const brokers = config.brokers.join();
    const run = (body: string, ...more: string[]) => {
      const dir = projects.create({ 'p.ts': pipelineFile('options', body, '{ parallelism: 1 }') });
      return millrace(dir, ['dev', join(dir, 'p.ts'), '--kafka', brokers, '--namespace', freshName('ns'), '--json', ...more]);
    };
    const elements = `env.fromElements('2001-09-09T01:46:40Z', '2004-02-29T00:00:00Z')
      .assignTimestampsAndWatermarks({ outOfOrdernessMs: 0, timestamp: (text) => Date.parse(text) })`;

    test('each sink writes as it is told, in transactions, too', async () => {
      const [snappy, lz4, gzip] = [freshName('snappy'), freshName('lz4'), freshName('gzip')];
      for (const topic of [snappy, lz4, gzip]) await createTestTopic(config, topic, 1);
      const body = `const times = ${elements};
        times.sinkTo(kafka.sink({ topic: '${snappy}', value: json(), compression: 'snappy', idempotent: true, timestamps: 'event-time' }));
        times.sinkTo(kafka.sink({ topic: '${lz4}', value: json(), compression: 'lz4', delivery: 'exactly-once' }));
        times.sinkTo(kafka.sink({ topic: '${gzip}', value: json(), compression: 'gzip', delivery: 'exactly-once' }));`;

      const { code, stderr } = await run(body);

      expect({ code, stderr }).toMatchObject({ code: 0 });
      const headers = await Promise.all([snappy, lz4, gzip].map((topic) => batchHeaders(config, topic, 0)));
      const written = headers.map((list) => list.find(({ isControl }) => !isControl));
      expect(written).toMatchObject([
        { compression: 'snappy', isTransactional: false },
        { compression: 'lz4', isTransactional: true },
        { compression: 'gzip', isTransactional: true },
      ]);
      expect((written[0]?.producerId ?? -1n) >= 0n).toBe(true);
      const times = ['2001-09-09T01:46:40Z', '2004-02-29T00:00:00Z'];
      expect((await messagesOf(snappy)).map(({ timestamp, value }) => [timestamp, JSON.parse(String(value)) as unknown])).toEqual(
        times.map((time) => [Date.parse(time), time]),
      );
      expect(await valuesOf(lz4)).toEqual(times.map((time) => JSON.stringify(time)));
    }, 60_000);

    test.each([
      ['at-least-once', 'beside another stage'],
      ['exactly-once', 'beside another stage'],
      ['exactly-once', 'alone'],
    ])(
      '%s, %s: what the topic refuses for its time is a dead letter, and the rest is written',
      async (delivery, place) => {
        const topic = freshName('times');
        await createTestTopic(config, topic, 1, { 'message.timestamp.after.max.ms': '3600000' });
        const counts = `times.keyBy((text) => text[0]).count().uid('count').sinkTo(kafka.sink({ topic: '${topic}-counts', value: json() }));`;
        const isAlone = place === 'alone';
        // What is old may be deleted by the topic's retention at any time.
        const [near, far] = [0, 2 * DAY_MS].map((ahead) => [1, 2].map((s) => new Date(Date.now() + ahead + s).toISOString()));
        const file = pipelineFile(
          'options',
          `const times = env.fromElements(...${JSON.stringify([near?.[0], far?.[0], near?.[1], far?.[1]])})
            .assignTimestampsAndWatermarks({ outOfOrdernessMs: 0, timestamp: (text) => Date.parse(text) });
          times.sinkTo(kafka.sink({ topic: '${topic}', value: json(), timestamps: 'event-time', delivery: '${delivery}' }));
          ${isAlone ? '' : counts}`,
          '{ parallelism: 1 }',
        );
        const dir = projects.create({ 'p.ts': file });
        const settings = ['--kafka', brokers, '--namespace', freshName('ns')];
        const { code, stderr } = await millrace(dir, ['dev', 'p.ts', ...settings, '--json', '--create-topics']);

        expect({ code, stderr }).toMatchObject({ code: 0 });
        expect(await valuesOf(topic)).toEqual(near?.map((text) => JSON.stringify(text)));
        if (!isAlone) expect(await valuesOf(`${topic}-counts`)).toContain('{"key":"2","count":4}'); // in any of its partitions
        const letters = await millrace(dir, ['dlq', 'ls', 'p.ts', ...settings, '--json']);
        expect(
          letters.stdout
            .trimEnd()
            .split('\n')
            .map((line) => JSON.parse(line) as unknown),
        ).toMatchObject([
          {
            kind: 'output',
            code: 'MILLRACE_TIMESTAMP_REFUSED',
            refusedBy: topic,
            messageTime: Date.parse(far?.[0] ?? ''),
            payload: { form: 'json', value: far?.[0] },
            error: expect.stringContaining('message.timestamp.after.max.ms'),
          },
          { kind: 'output', payload: { value: far?.[1] } },
        ]);
        const replay = await millrace(dir, ['dlq', 'replay', 'p.ts', '--all', ...settings]);
        expect(replay.stdout).toContain(`cannot be replayed: its record is applied, and only topic ${topic} has refused`);
      },
      90_000,
    );

    test('timestamps: a topic is made so, and one that does otherwise is refused', async () => {
      const [events, appended] = [freshName('events'), freshName('appended')];
      const sink = (topic: string, timestamps: string): string =>
        `${elements}.sinkTo(kafka.sink({ topic: '${topic}', value: json(), timestamps: '${timestamps}' }));`;
      const before = Date.now();
      await expect(run(sink(events, 'event-time'), '--create-topics')).resolves.toMatchObject({ code: 0 });
      await expect(run(sink(appended, 'log-append'), '--create-topics')).resolves.toMatchObject({ code: 0 });

      const types = await Promise.all(
        [events, appended].map(async (topic) => {
          const headers = await Promise.all([0, 1, 2, 3].map((partition) => batchHeaders(config, topic, partition)));
          return new Set(headers.flat().map(({ timestampType }) => timestampType));
        }),
      );
      expect(types).toEqual([new Set(['CreateTime']), new Set(['LogAppendTime'])]);
      expect((await messagesOf(appended)).every(({ timestamp }) => timestamp >= before)).toBe(true);
      const { code, stdout } = await run(sink(appended, 'event-time'));
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({
        error: {
          code: 'MILLRACE_TOPIC_MISMATCH',
          message: expect.stringContaining(
            `topic ${appended} has message.timestamp.type=LogAppendTime, and the timestamps of its sink need CreateTime`,
          ),
        },
      });
    }, 90_000);
  });
}

describeWithServices(['kafka'], 'kafka.sink', ({ kafka }) => suite(parseKafkaConfig({ MILLRACE_KAFKA: kafka.address })));
