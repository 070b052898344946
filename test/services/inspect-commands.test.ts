/** `millrace state` and `millrace dlq` on a real ZooKeeper and Kafka: the same as on `--data`, while others go on writing. */
import { afterAll, expect, test } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { parseKafkaConfig } from '../../functions/channels/kafka/config.ts';
import { createTestTopic, freshName } from '../helpers/kafka.ts';
import { describeWithServices } from '../helpers/services.ts';
import { makeChroot } from '../helpers/zookeeper.ts';
import { type Ended, millrace, pipelineFile, Projects, spawnMillrace } from '../cli/command.ts';

const projects = new Projects();
afterAll(() => projects.dispose());

const LINES = ['{"k":"a","n":1}', 'no json', '{"k":"b","n":2}', '{"k":"a","n":3}'];
const SUMS = pipelineFile(
  'sums',
  `env.fromSource({ kind: 'feed', name: 'lines', bounded: true, value: json(), async *read() { yield ${JSON.stringify(LINES)}.map((line) => Buffer.from(line)); } },
    { uid: 'in' }).keyBy(({ k }) => k).sum('n').uid('sum').print();`,
  '{ parallelism: 2 }',
);

describeWithServices(['kafka', 'zookeeper'], 'the commands that look', ({ kafka, zookeeper }) => {
  test('find state in ZooKeeper and dead letters in Kafka, and say what is not there', async () => {
    const dir = projects.create({ 'p.ts': SUMS });
    const services = ['--kafka', kafka.address, '--zookeeper', await makeChroot(zookeeper.address), '--namespace', freshName('inspect')];
    const run = (...args: string[]): Promise<Ended> => millrace(dir, [...args, ...services]);
    const before = [await run('state', 'ls', 'p.ts'), await run('dlq', 'ls', 'p.ts')];
    expect(await run('dev', 'p.ts')).toMatchObject({ code: 0 });

    const tables = await run('state', 'count', 'p.ts', '--json');
    const [table] = (JSON.parse(tables.stdout) as { tables: { state: string; keys: number }[] }).tables;
    const value = await run('state', 'get', 'p.ts', 'sum', 'sum', table?.state ?? '', 'a', '--json');
    const fences = await run('state', 'ls', 'p.ts');
    const letters = await run('dlq', 'ls', 'p.ts', '--json');
    const shown = await run('dlq', 'show', 'p.ts', '0');
    const beyond = await run('dlq', 'show', 'p.ts', '10');

    expect(before).toMatchObject([
      { code: 1, stderr: expect.stringContaining('error MILLRACE_STATE_MISSING: stage sum of pipeline sums has committed nothing') },
      { code: 1, stderr: expect.stringContaining('error MILLRACE_TOPIC_MISSING: there is no topic ') },
    ]);
    expect(table).toMatchObject({ operator: 'sum', keys: 2, entries: 2 });
    expect(JSON.parse(value.stdout)).toMatchObject({ stage: 'sum', key: 'a', value: { k: 'a', n: 4 } });
    expect(fences.stdout).toMatch(/2 tasks with a fence\n/);
    expect(JSON.parse(letters.stdout)).toMatchObject({
      offset: 0,
      stage: 'in',
      code: 'MILLRACE_DECODE_FAILED',
      payload: { value: 'no json' },
    });
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining('\npayload (text)\nno json\n') });
    expect(beyond).toMatchObject({ code: 1, stderr: expect.stringContaining('error MILLRACE_MESSAGE_MISSING: ') });
  }, 60_000);

  async function produce(topic: string, value: string, headers: Record<string, string>): Promise<void> {
    const producer = new Kafka({ brokers: [kafka.address], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    await producer.send({ topic, messages: [{ value, headers }] });
    await producer.disconnect();
  }

  test('a dead letter of a topic, shown while the run goes on, has the trace context and the headers of its message', async () => {
    const [topic, namespace] = [freshName('in'), freshName('traced')];
    await createTestTopic(parseKafkaConfig({ MILLRACE_KAFKA: kafka.address }), topic, 1);
    const source = `env.fromSource(kafka.source({ topic: '${topic}', value: json() }), { uid: 'in' }).print();`;
    const dir = projects.create({ 'p.ts': pipelineFile('traced', source) });
    const trace = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'a=1,b=2' };
    const flags = ['--kafka', kafka.address, '--namespace', namespace];
    const run = spawnMillrace(dir, ['dev', 'p.ts', ...flags]);
    await run.shows(/Invoke API/);
    await produce(topic, 'no json', { ...trace, other: 'x' });

    let stdout = '';
    while (stdout === '') ({ stdout } = await millrace(dir, ['dlq', 'ls', 'p.ts', '--json', ...flags]));
    run.child.kill('SIGINT');

    expect(JSON.parse(stdout)).toMatchObject({ code: 'MILLRACE_DECODE_FAILED', stage: 'in', ...trace });
    expect(JSON.parse(stdout)).toMatchObject({ headers: expect.arrayContaining([{ name: 'other', form: 'text', value: 'x' }]) as unknown });
    expect(await run.ended).toMatchObject({ code: 0 });
  }, 60_000);
});
