/** Topics that are deleted and made anew, and state that was laid out otherwise: told, never skipped in silence. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { Projects } from '../cli/command.ts';
import { createTestTopic, freshName, withAdmin } from '../helpers/kafka.ts';
import { describeWithServices } from '../helpers/services.ts';
import { makeChroot } from '../helpers/zookeeper.ts';
import { CountingRuns, countingPipeline, numbersSource, until } from './counting.ts';

const projects = new Projects();
afterAll(() => projects.dispose());

describeWithServices(['kafka', 'zookeeper'], 'positions in topics', ({ kafka, zookeeper }) => {
  const runs = new CountingRuns(kafka.address);
  const { config } = runs;

  interface Counting {
    readonly dir: string;
    readonly namespace: string;
    readonly input: string;
    readonly out: string;
    readonly flags: readonly string[];
  }

  /** A pipeline with its topics; `keyed`: its state is in the source's stage. */
  async function counting(timestampType: string, keyed = false): Promise<Counting> {
    const [input, out, namespace] = [freshName('in'), freshName('out'), freshName('went')];
    await createTestTopic(config, input, 1, { 'message.timestamp.type': timestampType });
    await createTestTopic(config, out, 1);
    const source = `kafka.source({ topic: '${input}', value: json(), keyedByRecordKey: ${keyed} })`;
    const dir = projects.create({ 'p.ts': countingPipeline(source, out) });
    return { dir, namespace, input, out, flags: ['--zookeeper', await makeChroot(zookeeper.address)] };
  }

  /** A run that counts `records` new ones, and is stopped. */
  async function count({ dir, namespace, input, out, flags }: Counting, records: number): Promise<void> {
    const run = runs.start(dir, namespace, ...flags);
    await runs.produce(input, records);
    await until(async () => (await runs.written(out)) >= records);
    run.child.kill('SIGINT');
    await expect(run.ended).resolves.toMatchObject({ code: 0 });
  }

  async function recreate(topic: string, timestampType: string, partitions = 1): Promise<void> {
    await withAdmin(config, (admin) => admin.deleteTopics({ topics: [topic] }));
    await until(async () => !(await withAdmin(config, (admin) => admin.listTopics())).includes(topic));
    await createTestTopic(config, topic, partitions, { 'message.timestamp.type': timestampType });
  }

  describe('a topic that was deleted and made anew', () => {
    test.each([
      [
        "the log's times, by the fence of its stage",
        true,
        'LogAppendTime',
        150,
        'MILLRACE_TOPIC_WENT_BACK',
        'was appended later than all of it',
      ],
      ["the log's times, by the marks behind it", false, 'LogAppendTime', 150, 'MILLRACE_UPSTREAM_WENT_BACK', 'from input of a later time'],
      ["the producer's times, shorter than what was applied", true, 'CreateTime', 50, 'MILLRACE_TOPIC_WENT_BACK', 'ends at 50'],
      [
        "the producer's times, shorter than what the stage behind has applied",
        false,
        'CreateTime',
        50,
        'MILLRACE_TOPIC_WENT_BACK',
        'ends at 50',
      ],
    ])(
      'with %s',
      async (_, keyed, times, records, code, why) => {
        const pipeline = await counting(times, keyed);
        await count(pipeline, 100);
        await recreate(pipeline.input, times);
        await runs.produce(pipeline.input, records);

        const again = await runs.start(pipeline.dir, pipeline.namespace, ...pipeline.flags).ended;

        expect(again).toMatchObject({ code: 1, stderr: expect.stringMatching(new RegExp(`error ${code}: [^]*${why}`)) });
        await expect(runs.written(pipeline.out)).resolves.toBe(100);
      },
      120_000,
    );

    test('if it is a channel, before anything is sent to it', async () => {
      const pipeline = await counting('CreateTime');
      await count(pipeline, 100);
      await recreate(`${pipeline.namespace}.counting.sum.g1`, 'LogAppendTime', 2);

      const again = await runs.start(pipeline.dir, pipeline.namespace, ...pipeline.flags).ended;

      expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('error MILLRACE_TOPIC_WENT_BACK: ') });
    }, 120_000);

    test.each([[true], [false]])(
      'while it is read; the state is in the stage that reads it: %s',
      async (keyed) => {
        const { dir, namespace, input, out, flags } = await counting('CreateTime', keyed);
        const run = runs.start(dir, namespace, ...flags);
        await runs.produce(input, 100);
        await until(async () => (await runs.written(out)) >= 100);
        await recreate(input, 'CreateTime');
        await runs.produce(input, 50);

        const ended = await run.ended;

        expect(ended).toMatchObject({
          code: 1,
          stderr: expect.stringMatching(/error MILLRACE_TOPIC_WENT_BACK: .*has been deleted while it was read/),
        });
        await expect(runs.written(out)).resolves.toBe(100);
      },
      120_000,
    );
  });

  test('state laid out for another number of key groups is refused before anything is fed', async () => {
    const [out, namespace] = [freshName('out'), freshName('groups')];
    await createTestTopic(config, out, 1);
    const flags = ['--zookeeper', await makeChroot(zookeeper.address)];
    const dir = projects.create({ 'p.ts': countingPipeline(numbersSource(1000), out) });
    await expect(runs.start(dir, namespace, ...flags).ended).resolves.toMatchObject({ code: 0 });
    const changed = projects.create({ 'p.ts': countingPipeline(numbersSource(2000), out, '{ parallelism: 2, maxParallelism: 64 }') });

    const refused = await runs.start(changed, namespace, ...flags).ended;

    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /error MILLRACE_OPTION_INVALID: the state at .* was laid out with maxParallelism 128 .*this plan has 64/,
      ),
    });
    await expect(runs.written(`${namespace}.counting.numbers`)).resolves.toBe(1000);
  }, 120_000);

  test('a missing chroot is told before anything is fed, or a topic made', async () => {
    const [out, namespace] = [freshName('out'), freshName('chroot')];
    const dir = projects.create({ 'p.ts': countingPipeline(numbersSource(1000), out) });

    const refused = await runs.start(dir, namespace, '--zookeeper', `${zookeeper.address}/none-${namespace}`, '--create-topics').ended;

    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('error MILLRACE_CHROOT_MISSING: ') });
    const topics = await withAdmin(config, (admin) => admin.listTopics());
    expect(topics.filter((topic) => topic === out || topic.startsWith(namespace))).toEqual([]);
  }, 120_000);
});
