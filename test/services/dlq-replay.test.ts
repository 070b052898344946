/** `millrace dlq replay` on a real Kafka and ZooKeeper: while the pipeline runs or not, by several at once, and again. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { parseKafkaConfig } from '../../functions/channels/kafka/config.ts';
import { readKafkaTopic } from '../../local/kafka/topic-reader.ts';
import { type Ended, millrace, pipelineFile, Projects, spawnMillrace } from '../cli/command.ts';
import { createTestTopic, freshName } from '../helpers/kafka.ts';
import { batchHeaders } from '../helpers/record-batches.ts';
import { describeWithServices } from '../helpers/services.ts';
import { makeChroot } from '../helpers/zookeeper.ts';

const projects = new Projects();
afterAll(() => projects.dispose());

const SUM = `.keyBy(({ k }) => k).process({
  state: { total: valueState('total', { default: 0 }) },
  *processElement({ n }, ctx) { mayThrow(n); ctx.state.total.update(ctx.state.total.value() + n); },
}).uid('sum').print();`;
/** Sums by key. `bad`: numbers that throw, in the stage that sums or before it. */
const sums = (source: string, bad: readonly number[], before: readonly number[] = []): string =>
  pipelineFile(
    'sums',
    `const mayThrow = (n) => { if ([${bad.join()}].includes(n)) throw new Error('bad ' + n); };
     env.fromSource(${source}, { uid: 'in' })
       .map((one) => { if ([${before.join()}].includes(one.n)) throw new Error('bad ' + one.n); return one; })${SUM}`,
    '{ parallelism: 2 }',
  );

describeWithServices(['kafka', 'zookeeper'], 'millrace dlq replay', ({ kafka, zookeeper }) => {
  const config = parseKafkaConfig({ MILLRACE_KAFKA: kafka.address });

  /** A project with a namespace and a chroot of its own. */
  async function open(text: string, stage: string) {
    const dir = projects.create({ 'p.ts': text });
    const flags = ['--kafka', kafka.address, '--zookeeper', await makeChroot(zookeeper.address), '--namespace', freshName('replay')];
    const run = (...args: string[]): Promise<Ended> => millrace(dir, [...args, ...flags]);
    const total = async (key: string): Promise<unknown> => {
      const { code, stdout } = await run('state', 'get', 'p.ts', stage, 'sum', 'total', key, '--json');
      return code === 0 ? (JSON.parse(stdout) as { value: unknown }).value : undefined;
    };
    return {
      run,
      total,
      start: () => spawnMillrace(dir, ['dev', 'p.ts', ...flags]),
      command: (...args: string[]) => spawnMillrace(dir, ['dlq', 'replay', 'p.ts', ...args, ...flags]).ended,
      write: (changed: string) => writeFileSync(join(dir, 'p.ts'), changed),
      replayed: async (...args: string[]): Promise<string[]> => outcomesOf(await run('dlq', 'replay', 'p.ts', '--json', ...args)),
      /** Waits for a sum, which a run is at work on. */
      reaches: async (key: string, value: number): Promise<void> => {
        while ((await total(key)) !== value) await new Promise((resolve) => setTimeout(resolve, 100));
      },
    };
  }

  test('by two at once, of a stage with a fence and of one without; the next run applies each once', async () => {
    const lines = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => JSON.stringify({ k: n % 2 === 0 ? 'even' : 'odd', n }));
    const feed = `{ kind: 'feed', name: 'lines', bounded: true, value: json(), async *read() { yield ${JSON.stringify(lines)}.map((line) => Buffer.from(line)); } }`;
    const project = await open(sums(feed, [2, 3, 6], [5, 8]), 'sum');
    expect(await project.run('dev', 'p.ts')).toMatchObject({ code: 0 });
    expect([await project.total('even'), await project.total('odd')]).toEqual([4, 8]);
    project.write(sums(feed, []));

    const both = await Promise.all([project.command('--all', '--json'), project.command('--all', '--json')]);
    const third = await project.replayed('--all');
    expect(both.map(outcomesOf)).toEqual([Array(5).fill('replayed'), Array(5).fill('replayed')]);
    expect(third).toEqual(Array(5).fill('replayed'));
    expect(await project.run('dev', 'p.ts')).toMatchObject({ code: 0 });

    expect([await project.total('even'), await project.total('odd')]).toEqual([20, 16]);
    expect((await project.replayed('--all')).toSorted()).toEqual([...Array<string>(3).fill('applied'), 'replayed', 'replayed']);
    expect(await project.run('dev', 'p.ts')).toMatchObject({ code: 0 });
    expect([await project.total('even'), await project.total('odd')]).toEqual([20, 16]);
  }, 180_000);

  test.each(['at-least-once', 'exactly-once'])(
    'of a stage that is run here: its %s sink writes as it does in a run',
    async (delivery) => {
      const topic = freshName('out');
      await createTestTopic(config, topic, 1);
      const feed = `{ kind: 'feed', name: 'lines', bounded: true, value: json(), async *read() { yield [1, 2].map((n) => Buffer.from(String(n))); } }`;
      const lines = (bad: number): string =>
        pipelineFile(
          'lines',
          `env.fromSource(${feed}, { uid: 'in' })
             .map((n) => { if (n === ${bad}) throw new Error('bad'); return n; })
             .sinkTo(kafka.sink({ topic: '${topic}', value: json(), delivery: '${delivery}', compression: 'lz4' }));`,
          '{ parallelism: 1 }',
        );
      const project = await open(lines(2), 'in');
      expect(await project.run('dev', 'p.ts')).toMatchObject({ code: 0 });
      project.write(lines(0));

      expect(await project.replayed('--all', '--at-least-once')).toEqual(['replayed']);

      const batches = (await batchHeaders(config, topic, 0)).filter(({ isControl }) => !isControl);
      expect(batches.map(({ compression, records }) => [compression, records])).toEqual([
        ['lz4', 1],
        ['lz4', 1],
      ]);
    },
    120_000,
  );

  test('with the headers that the message had', async () => {
    const [topic, out] = [freshName('in'), freshName('out')];
    for (const name of [topic, out]) await createTestTopic(config, name, 1);
    const headers = (bad: string): string =>
      pipelineFile(
        'headers',
        `env.fromSource(kafka.source({ topic: '${topic}', key: json(), value: json() }), { uid: 'in' })
           .map(({ value, headers }) => {
             if (value === '${bad}') throw new Error('bad');
             return headers.map(([name, text]) => name + '=' + Buffer.from(text));
           })
           .sinkTo(kafka.sink({ topic: '${out}', value: json() }));`,
      );
    const project = await open(headers('v'), 'in');
    const running = project.start();
    await running.shows(/Invoke API/);
    const producer = new Kafka({ brokers: [kafka.address], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    await producer.send({
      topic,
      messages: [{ key: '1', value: '"v"', headers: { tenant: 'acme', 'millrace-origin': 'of another pipeline' } }],
    });
    await producer.disconnect();
    while ((await project.replayed('--all', '--dry-run', '--at-least-once')).length === 0);
    running.child.kill('SIGINT');
    expect(await running.ended).toMatchObject({ code: 0 });
    project.write(headers('none'));

    expect(await project.replayed('--all', '--at-least-once')).toEqual(['replayed']);

    const results: string[] = [];
    await readKafkaTopic(config, out, ({ value }) => results.push(String(value)));
    expect(results).toEqual(['["tenant=acme","millrace-origin=of another pipeline"]']);
  }, 120_000);

  test("of a source's own keyed stage, through its topic and only if asked for, while the pipeline runs", async () => {
    const topic = freshName('in');
    await createTestTopic(config, topic, 2);
    const source = `kafka.source({ topic: '${topic}', value: json(), keyedByRecordKey: true })`;
    const project = await open(sums(source, [2, 4]), 'in');
    let running = project.start();
    await running.shows(/Invoke API/);
    await produce([1, 2, 3, 4]);
    await project.reaches('k', 4);
    while ((await project.replayed('--all', '--dry-run', '--append-to-source')).filter((one) => one === 'chosen').length < 2);
    running.child.kill('SIGINT');
    expect(await running.ended).toMatchObject({ code: 0 });
    project.write(sums(source, []));

    expect(await project.run('dlq', 'replay', 'p.ts', '--all')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        `error MILLRACE_REPLAY_REFUSED: dead letters of stage in: it keeps a fence, so they must come through its topic ${topic}`,
      ),
    });
    running = project.start();
    await running.shows(/Invoke API/);
    const all = ['--all', '--append-to-source', '--json'];
    const both = await Promise.all([project.command(...all), project.command(...all)]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    await project.reaches('k', 10);
    expect(await project.replayed(...all)).toEqual(['applied', 'applied']);
    await produce([5]);
    await project.reaches('k', 15);
    running.child.kill('SIGINT');

    expect(await running.ended).toMatchObject({ code: 0 });

    async function produce(numbers: readonly number[]): Promise<void> {
      const producer = new Kafka({ brokers: [kafka.address], logLevel: logLevel.NOTHING }).producer();
      await producer.connect();
      await producer.send({ topic, messages: numbers.map((n) => ({ key: 'k', value: JSON.stringify({ k: 'k', n }) })) });
      await producer.disconnect();
    }
  }, 180_000);
});

function outcomesOf({ stdout }: Ended): string[] {
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => (JSON.parse(line) as { outcome: string }).outcome);
}
