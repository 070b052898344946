/** `millrace dev --kafka`: the same bundles on a real Kafka. However a run ends, the next one goes on. */
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, describe, expect, test } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { parseKafkaConfig } from '../../functions/channels/kafka/config.ts';
import { readKafkaTopic, topicRanges } from '../../local/kafka/topic-reader.ts';
import { type Ended, pipelineFile, Projects, spawnMillrace } from '../cli/command.ts';
import { createTestTopic, freshName } from '../helpers/kafka.ts';
import { describeWithServices } from '../helpers/services.ts';

const projects = new Projects();
afterAll(() => projects.dispose());

const KEYS = 50;
const RECORDS = 30_000;

/** Two hops: the source's stage, then a count by key. `source` is an expression. */
const counting = (source: string, out: string): string =>
  pipelineFile(
    'counting',
    `env.fromSource(${source}, { uid: 'numbers' }).keyBy(({ key }) => key).sum('n').uid('sum')
      .sinkTo(kafka.sink({ topic: '${out}', value: json(), key: ({ key }) => key }));`,
    '{ parallelism: 2, batchSize: 500 }',
  );

const elements = `(() => { const records = Array.from({ length: ${RECORDS} }, (_, i) => ({ key: 'k' + (i % ${KEYS}), n: 1 }));
  return { kind: 'feed', name: 'test', bounded: true, value: json(), async *read() {
    for (let i = 0; i < records.length; i += 1000) yield records.slice(i, i + 1000).map((record) => json().encode(record)); } }; })()`;

describeWithServices(['kafka', 'zookeeper'], 'millrace dev --kafka', ({ kafka, zookeeper }) => {
  const config = parseKafkaConfig({ MILLRACE_KAFKA: kafka.address });

  function start(dir: string, namespace: string, ...more: string[]): ReturnType<typeof spawnMillrace> {
    return spawnMillrace(dir, ['dev', 'p.ts', '--kafka', kafka.address, '--namespace', namespace, '--determinism-every', '0', ...more]);
  }

  /** Sum of the highest counts of all keys: with at-least-once sinks a count may stand there twice, never a wrong one. */
  async function total(topic: string): Promise<number> {
    const highest = new Map<string, number>();
    await readKafkaTopic(config, topic, ({ value }) => {
      const { key, n } = JSON.parse(Buffer.from(value ?? []).toString()) as { key: string; n: number };
      highest.set(key, Math.max(n, highest.get(key) ?? 0));
    });
    return [...highest.values()].reduce((sum, n) => sum + n, 0);
  }

  const written = async (topic: string): Promise<number> => (await topicRanges(config, topic)).reduce((sum, { high }) => sum + high, 0);

  async function until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) await nextTurn();
  }

  async function produce(topic: string, count: number): Promise<void> {
    const producer = new Kafka({ brokers: [kafka.address], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    const messages = Array.from({ length: count }, (_, i) => ({ value: JSON.stringify({ key: `k${i % KEYS}`, n: 1 }) }));
    await producer.send({ topic, messages });
    await producer.disconnect();
  }

  describe('a bounded source', () => {
    test('killed while it is at work, and started again, ends with exact results', async () => {
      const [out, namespace] = [freshName('out'), freshName('bounded')];
      const dir = projects.create({ 'p.ts': counting(elements, out) });
      const flags = ['--create-topics', '--data', join(dir, 'data')];
      const killed = start(dir, namespace, ...flags);
      await killed.shows(/Invoke API/);
      await until(async () => (await written(out)) > RECORDS / 10);
      killed.child.kill('SIGKILL');
      await killed.ended;

      const last = await start(dir, namespace, ...flags, '--json').ended;

      expect(last).toMatchObject({ code: 0 });
      expect(JSON.parse(last.stdout)).toMatchObject({ ok: true, finished: true });
      expect(last.stderr).toContain(`the last of each of ${KEYS} keys`);
      await expect(total(out)).resolves.toBe(RECORDS);
    }, 120_000);
  });

  describe('a topic', () => {
    test('is read until an interrupt, which ends the run well; the next one goes on, and one without that state is refused', async () => {
      const [input, out, namespace] = [freshName('in'), freshName('out'), freshName('topic')];
      await createTestTopic(config, input, 3);
      await createTestTopic(config, out, 2);
      const dir = projects.create({ 'p.ts': counting(`kafka.source({ topic: '${input}', value: json() })`, out) });
      const runs: Ended[] = [];
      for (const expected of [1000, 2000]) {
        const { child, ended } = start(dir, namespace, '--data', join(dir, 'data'), '--json');
        await produce(input, 1000);
        await until(async () => (await written(out)) >= expected);
        child.kill('SIGINT');
        runs.push(await ended);
      }
      const stateless = await start(dir, namespace).ended;

      expect(runs.map(({ code }) => code)).toEqual([0, 0]);
      expect(runs.map(({ stdout }) => (JSON.parse(stdout) as { finished: boolean }).finished)).toEqual([false, false]);
      await expect(total(out)).resolves.toBe(2000);
      expect(stateless).toMatchObject({ code: 1, stderr: expect.stringContaining('error MILLRACE_DATA_INVALID: Kafka holds offsets') });
    }, 120_000);

    test('is shared by two runs with their state in ZooKeeper; when one is killed, the other has it all, counted once', async () => {
      const [input, out, namespace] = [freshName('in'), freshName('out'), freshName('shared')];
      await createTestTopic(config, input, 4);
      await createTestTopic(config, out, 2);
      const dir = projects.create({ 'p.ts': counting(`kafka.source({ topic: '${input}', value: json() })`, out) });
      const runs = [0, 1].map(() => start(dir, namespace, '--zookeeper', zookeeper.address, '--json'));
      await Promise.all(runs.map(({ shows }) => shows(/Invoke API/)));
      let sent = 0;
      for (let round = 0; round < 10; round++, sent += 500) await produce(input, 500);
      await until(async () => (await total(out)) > 0);
      runs[0]?.child.kill('SIGKILL');
      await runs[0]?.ended;
      await produce(input, 500);

      await until(async () => (await total(out)) >= sent + 500);
      runs[1]?.child.kill('SIGINT');

      await expect(runs[1]?.ended).resolves.toMatchObject({ code: 0 });
      await expect(total(out)).resolves.toBe(sent + 500);
    }, 120_000);
  });
});
