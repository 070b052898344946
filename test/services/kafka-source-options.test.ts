/** What the options of `kafka.source` do on a real Kafka, with `millrace dev`. */
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, expect, test } from '@jest/globals';
import { Kafka, logLevel, type Message } from 'kafkajs';
import { parseKafkaConfig } from '../../functions/channels/kafka/config.ts';
import { readKafkaTopic, type TopicMessage } from '../../local/kafka/topic-reader.ts';
import { millrace, pipelineFile, Projects, spawnMillrace } from '../cli/command.ts';
import { createTestTopic, freshName, withAdmin } from '../helpers/kafka.ts';
import { describeWithServices } from '../helpers/services.ts';

const projects = new Projects();
afterAll(() => projects.dispose());

describeWithServices(['kafka'], 'kafka.source', ({ kafka }) => {
  const config = parseKafkaConfig({ MILLRACE_KAFKA: kafka.address });
  const dev = (dir: string, ...more: string[]): string[] => ['dev', join(dir, 'p.ts'), '--kafka', kafka.address, '--json', ...more];

  async function produce(topic: string, ...messages: Message[]): Promise<void> {
    const producer = new Kafka({ brokers: [kafka.address], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    await producer.send({ topic, messages });
    await producer.disconnect();
  }

  async function messagesOf(topic: string): Promise<TopicMessage[]> {
    const messages: TopicMessage[] = [];
    await readKafkaTopic(config, topic, (message) => messages.push(message));
    return messages;
  }

  const valuesOf = async (topic: string): Promise<unknown[]> =>
    (await messagesOf(topic)).map(({ value }) => JSON.parse(Buffer.from(value ?? []).toString()) as unknown);

  async function untilThereAre(topic: string, count: number): Promise<unknown[]> {
    for (;;) {
      const values = await valuesOf(topic);
      if (values.length >= count) return values;
      await nextTurn();
    }
  }

  const offsetsOf = async (groupId: string, topic: string): Promise<number[]> => {
    const [found] = await withAdmin(config, (admin) => admin.fetchOffsets({ groupId, topics: [topic] }));
    return (found?.partitions ?? []).map(({ offset }) => Number(offset));
  };

  test('reads the topics that a pattern matches at the start, with keys and headers, as the group that it is told', async () => {
    const [name, group, namespace] = [freshName('pattern'), freshName('readers'), freshName('ns')];
    const [eu, us, out] = [`${name}-eu`, `${name}-us`, `out-${name}`];
    for (const topic of [eu, us, `not-${name}-eu`, out]) await createTestTopic(config, topic, 1);
    const source = `kafka.source({ pattern: /${name}-[a-z]+/, value: json(), key: { name: 'text', encode: Buffer.from, decode: String }, group: '${group}' })`;
    const body = `env.fromSource(${source}, { uid: 'orders' })
      .map(({ key, value, headers, topic }) => ({ key, value, topic, headers: headers.map(([name, bytes]) => [name, Buffer.from(bytes).toString()]) }))
      .sinkTo(kafka.sink({ topic: '${out}', value: json() }));`;
    const dir = projects.create({ 'p.ts': pipelineFile('described', body) });
    await produce(eu, { key: 'k', value: '1', headers: { trace: 'abc' } });
    await produce(us, { value: '2' });
    await produce(`not-${name}-eu`, { value: '3' });

    const { child, ended } = spawnMillrace(dir, dev(dir, '--namespace', namespace));
    const values = await untilThereAre(out, 2);
    child.kill('SIGINT');

    expect(await ended).toMatchObject({ code: 0 });
    expect(values).toHaveLength(2);
    expect(values).toEqual(
      expect.arrayContaining([
        { key: 'k', value: 1, topic: eu, headers: [['trace', 'abc']] },
        { key: null, value: 2, topic: us, headers: [] },
      ]),
    );
    expect([await offsetsOf(group, eu), await offsetsOf(`${namespace}.described.orders`, eu)]).toEqual([[1], [-1]]);
    const planned = await millrace(dir, ['plan', join(dir, 'p.ts'), '--kafka', kafka.address]);
    expect(planned.stdout).toContain(`topics /${name}-[a-z]+/: ${eu}, ${us} (source orders)`);
  }, 60_000);

  test('refuses a pattern that matches no topic, and names it', async () => {
    const name = freshName('nothing');
    const body = `env.fromSource(kafka.source({ pattern: '${name}-.*', value: json() }), { uid: 'orders' }).print();`;
    const dir = projects.create({ 'p.ts': pipelineFile('unmatched', body) });

    const { code, stdout } = await millrace(dir, dev(dir));

    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      error: { code: 'MILLRACE_TOPIC_MISSING', message: expect.stringContaining(`source 'orders' reads topics /${name}-.*/`) },
    });
  });

  test('begins where its properties say, and makes batches as large as they say', async () => {
    const [input, out, namespace] = [freshName('in'), freshName('out'), freshName('ns')];
    for (const topic of [input, out]) await createTestTopic(config, topic, 1);
    const properties = `{ 'auto.offset.reset': 'latest', 'max.poll.records': 10 }`;
    const source = `kafka.source({ topic: '${input}', value: json(), properties: ${properties} })`;
    const body = `env.fromSource(${source}, { uid: 'numbers' }).sinkTo(kafka.sink({ topic: '${out}', value: json() }));`;
    const dir = projects.create({ 'p.ts': pipelineFile('latest', body) });
    await produce(input, { value: '"before"' });
    const { child, ended, shows } = spawnMillrace(dir, dev(dir, '--namespace', namespace));
    await shows(/Invoke API/);
    while ((await offsetsOf(`${namespace}.latest.numbers`, input))[0] !== 1) await nextTurn(); // it has found its place

    await produce(input, ...Array.from({ length: 100 }, (_, i) => ({ value: String(i) })));
    const values = await untilThereAre(out, 100);
    child.kill('SIGINT');

    expect(values).toEqual(Array.from({ length: 100 }, (_, i) => i));
    const { hops } = JSON.parse((await ended).stdout) as { hops: readonly { batches: number }[] };
    expect(hops[0]?.batches).toBeGreaterThanOrEqual(10);
  }, 60_000);

  test('with keyedByRecordKey counts without a hop, and ends when a key turns up in a second partition', async () => {
    const [input, out, namespace] = [freshName('in'), freshName('out'), freshName('ns')];
    await createTestTopic(config, input, 3);
    await createTestTopic(config, out, 1);
    const source = `kafka.source({ topic: '${input}', value: json(), keyedByRecordKey: true })`;
    const body = `env.fromSource(${source}, { uid: 'words' }).keyBy((word) => word).count().uid('count')
      .sinkTo(kafka.sink({ topic: '${out}', value: json() }));`;
    const dir = projects.create({ 'p.ts': pipelineFile('placed', body) });
    const words = ['a', 'b', 'c', 'd', 'a', 'b'];
    await produce(input, ...words.map((word) => ({ key: word, value: JSON.stringify(word) })));
    const { ended } = spawnMillrace(dir, dev(dir, '--namespace', namespace));
    const counts = await untilThereAre(out, words.length);
    const place = (await messagesOf(input)).find(({ key }) => String(key) === 'a')?.partition ?? 0;

    await produce(input, { value: '"a"', partition: (place + 1) % 3 });
    const { code, stdout } = await ended;

    expect(counts).toEqual(
      expect.arrayContaining([
        { key: 'a', count: 2 },
        { key: 'b', count: 2 },
        { key: 'c', count: 1 },
      ]),
    );
    expect(code).toBe(1);
    const both = [place, (place + 1) % 3].sort((a, b) => a - b).join(' and ');
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      error: {
        code: 'MILLRACE_KEY_IN_TWO_PARTITIONS',
        message: expect.stringContaining(`key "a" stands in partitions ${both} of topic ${input}`),
      },
    });
  }, 60_000);
});
