/** `millrace why` on a real Kafka and ZooKeeper, held against the way that each record carries in itself. */
import { afterAll, expect, test } from '@jest/globals';
import { CompressionTypes, Kafka, logLevel, type Producer } from 'kafkajs';
import { parseKafkaConfig } from '../../functions/channels/kafka/config.ts';
import { findKafkaMessage } from '../../local/kafka/message-finder.ts';
import { readKafkaTopic, type TopicMessage, topicRanges } from '../../local/kafka/topic-reader.ts';
import { type Ended, millrace, pipelineFile, Projects, spawnMillrace } from '../cli/command.ts';
import { createTestTopic, describeWithKafka, freshName, withAdmin } from '../helpers/kafka.ts';
import { describeWithServices } from '../helpers/services.ts';
import { makeChroot } from '../helpers/zookeeper.ts';

const projects = new Projects();
afterAll(() => projects.dispose());

interface Traced {
  readonly path: readonly string[];
}

interface Printed {
  readonly kind: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly value: { readonly value: Partial<Traced> & { readonly id?: string } };
}

/** Three stages behind two topics: both keyed ones fan out, the last has a fence and transactions; `path` is what a record was made from. */
const fanning = (inputs: readonly string[], out: string): string =>
  pipelineFile(
    'fanning',
    `const grow = ({ path }, step) => ({ path: [...path, path.at(-1) + '/' + step] });
    env.fromSource(kafka.source({ topics: ${JSON.stringify(inputs)}, value: json() }), { uid: 'in' })
      .flatMap(({ id, n }) => Array.from({ length: n % 3 }, (_, i) => ({ path: [id, id + '/' + i] })))
      .keyBy(({ path }) => path[1].slice(-3))
      .process({
        state: { seen: valueState('seen', { default: 0 }) },
        *processElement(record, { state }) {
          state.seen.update(state.seen.value() + 1);
          for (let i = 0; i < state.seen.value() % 3; i++) yield grow(record, i);
        },
      })
      .uid('fan')
      .keyBy(({ path }) => path.at(-1).slice(-5))
      .reduce((_, next) => next)
      .uid('last')
      .sinkTo(kafka.sink({ topic: '${out}', value: json(), lineage: true, delivery: 'exactly-once' }));`,
    '{ parallelism: 2, batchSize: 20 }',
  );

describeWithServices(['kafka', 'zookeeper'], 'millrace why', ({ kafka, zookeeper }) => {
  const config = parseKafkaConfig({ MILLRACE_KAFKA: kafka.address });

  async function produce(topic: string, prefix: string, count: number): Promise<void> {
    const producer = new Kafka({ brokers: [kafka.address], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    const messages = Array.from({ length: count }, (_, n) => ({ partition: n % 2, value: JSON.stringify({ id: `${prefix}${n}`, n }) }));
    await producer.send({ topic, messages });
    await producer.disconnect();
  }

  async function contents(topic: string): Promise<TopicMessage[]> {
    const messages: TopicMessage[] = [];
    await readKafkaTopic(config, topic, (message) => messages.push(message));
    return messages;
  }

  test('walks back to the sources, tells what is no message, and how far it got behind retention', async () => {
    const [left, right, out, namespace] = [freshName('left'), freshName('right'), freshName('out'), freshName('why')];
    for (const topic of [left, right, out]) await createTestTopic(config, topic, 2);
    await produce(left, 'l', 60);
    await produce(right, 'r', 40);
    const dir = projects.create({ 'p.ts': fanning([left, right], out) });
    const services = ['--kafka', kafka.address, '--zookeeper', await makeChroot(zookeeper.address), '--namespace', namespace];
    const run = spawnMillrace(dir, ['dev', 'p.ts', ...services]);
    while ((await topicRanges(config, out)).reduce((sum, { high }) => sum + high, 0) < 60);
    run.child.kill('SIGINT');
    expect(await run.ended).toMatchObject({ code: 0 });
    const why = ({ partition, offset }: Pick<TopicMessage, 'partition' | 'offset'>): Promise<Ended> =>
      millrace(dir, ['why', 'p.ts', out, String(partition), String(offset), '--json', ...services]);

    const written = await contents(out);
    const sources: Printed[] = [];
    for (const message of written.filter((_, i) => i % 9 === 0)) {
      const ended = await why(message);
      const { path } = JSON.parse(Buffer.from(message.value ?? []).toString()) as Traced;
      const hops = hopsOf(ended);
      const source = hops.at(-1) as Printed;

      expect(ended).toMatchObject({ code: 0, stderr: '' });
      expect(hops.map(({ kind }) => kind)).toEqual(['output', 'record', 'record', 'source']);
      expect(hops.slice(1).map(({ value: { value } }) => value.path?.at(-1) ?? value.id)).toEqual([...path].reverse());
      // Message n of a topic went to partition n mod 2.
      expect(`${source.topic === left ? 'l' : 'r'}${2 * source.offset + source.partition}`).toBe(path[0]);
      sources.push(source);
    }
    expect(new Set(sources.map(({ topic }) => topic))).toEqual(new Set([left, right]));

    const offsets = new Set(written.filter(({ partition }) => partition === 0).map(({ offset }) => offset));
    const marker = Array.from({ length: offsets.size + 1 }, (_, offset) => offset).find((offset) => !offsets.has(offset)) ?? -1;
    expect(await why({ partition: 0, offset: marker })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`MILLRACE_MESSAGE_MISSING: offset ${marker} of ${out}-0 holds no record: it ends a transaction`),
    });

    await withAdmin(config, async (admin) => {
      for (const topic of [left, right]) {
        await admin.fetchTopicOffsets(topic); // or the client would not know the leaders
        await admin.deleteTopicRecords({ topic, partitions: [0, 1].map((partition) => ({ partition, offset: '-1' })) });
      }
    });
    const cut = await why(written[0] as TopicMessage);
    expect(cut).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/MILLRACE_MESSAGE_MISSING: offset \d+ of \S+ is gone: retention has dropped/),
    });
    expect(hopsOf(cut).map(({ kind }) => kind)).toEqual(['output', 'record', 'record']);
  }, 120_000);
});

function hopsOf({ stdout }: Ended): Printed[] {
  return stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Printed); // prettier-ignore
}

describeWithKafka('one message of a topic', (config) => {
  async function producing<T>(work: (producer: Producer) => Promise<T>, transactionalId?: string): Promise<T> {
    const options = transactionalId === undefined ? {} : { transactionalId, idempotent: true, maxInFlightRequests: 1 };
    const producer = new Kafka({ brokers: [...config.brokers], logLevel: logLevel.NOTHING }).producer(options);
    await producer.connect();
    try {
      return await work(producer);
    } finally {
      await producer.disconnect();
    }
  }
  const valuesAt = async (topic: string, offsets: readonly number[]): Promise<(string | undefined)[]> => {
    const found = await Promise.all(offsets.map((offset) => findKafkaMessage(config, topic, 0, offset)));
    return found.map(({ message }) => message?.value?.toString());
  };

  test('is found inside of a compressed batch, with its headers', async () => {
    const topic = freshName('one');
    await createTestTopic(config, topic, 2);
    const messages = Array.from({ length: 30 }, (_, i) => ({
      key: `k${i}`,
      value: `v${i}`,
      headers: { h: [`a${i}`, `b${i}`] },
      partition: 1,
    }));
    await producing((producer) => producer.send({ topic, messages, compression: CompressionTypes.GZIP }));

    const { message, range } = await findKafkaMessage(config, topic, 1, 17);

    expect(range).toEqual({ partition: 1, low: 0, high: 30 });
    expect(message).toMatchObject({ partition: 1, offset: 17, key: Buffer.from('k17'), value: Buffer.from('v17') });
    expect(message?.headers.map(([name, value]) => [name, String(value)])).toEqual([
      ['h', 'a17'],
      ['h', 'b17'],
    ]);
    expect(await findKafkaMessage(config, topic, 1, 30)).toEqual({ message: undefined, range });
    expect(await findKafkaMessage(config, topic, 2, 0)).toEqual({ message: undefined, range: undefined });
    await expect(findKafkaMessage(config, `${topic}-not`, 0, 0)).rejects.toMatchObject({ code: 'MILLRACE_TOPIC_MISSING' });
  });

  test('is not there while its transaction is open, if it was aborted, or if it is a marker', async () => {
    const topic = freshName('isolated');
    await createTestTopic(config, topic, 1);
    const send = (value: string) => ({ topic, messages: [{ value }] });
    await producing(async (producer) => {
      const first = await producer.transaction();
      await first.send(send('aborted')); // 0, marker 1
      await first.abort();
      const second = await producer.transaction();
      await second.send(send('committed')); // 2, marker 3
      await second.commit();
    }, freshName('id'));
    await producing((producer) => producer.send(send('plain'))); // 4

    expect(await valuesAt(topic, [0, 1, 2, 3, 4, 5])).toEqual([undefined, undefined, 'committed', undefined, 'plain', undefined]);

    await producing(async (producer) => {
      const open = await producer.transaction();
      await open.send(send('open'));
      expect(await valuesAt(topic, [5])).toEqual([undefined]);
      await open.commit();
    }, freshName('id'));
    expect(await valuesAt(topic, [5])).toEqual(['open']);
  });
});
