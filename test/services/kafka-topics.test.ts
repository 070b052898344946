import { expect, test } from '@jest/globals';
import { ConfigResourceTypes } from 'kafkajs';
import type { PipelinePlan } from '../../functions/graph/stage-plan.ts';
import { DEFAULT_OPTIONS } from '../../functions/graph/settings.ts';
import { prepareKafkaTopics } from '../../local/kafka/topics.ts';
import { createTestTopic, describeWithKafka, freshName, withAdmin } from '../helpers/kafka.ts';
import { API, openKafkaProxy } from '../helpers/kafka-proxy.ts';

/** Two channels and a feed, of a pipeline of this test's own; `users`: topics of its sinks. */
function planOf(name: string, users: readonly string[] = []): PipelinePlan {
  return {
    pipeline: name,
    settings: { ...DEFAULT_OPTIONS },
    stages: [],
    channels: [
      { id: 'a', topic: `${name}.a.g1`, hop: 'kafka', partitions: 3 },
      { id: 'b', topic: `${name}.b.g1`, hop: 'kafka', partitions: 2 },
    ],
    feeds: [{ uid: 'f', node: 0, topic: `${name}.f`, partitions: 2 }],
    sinkTopics: users,
    deadLetterTopic: `${name}.dlq`,
  } as unknown as PipelinePlan;
}

describeWithKafka('topics of a pipeline', (config) => {
  const prepare = (plan: PipelinePlan, createUsersTopics = false): Promise<void> =>
    prepareKafkaTopics(config, { plan, createUsersTopics, topicPartitions: {} });

  test('are made as they must be; a second start finds them so', async () => {
    const name = freshName('made');
    await prepare(planOf(name));
    await prepare(planOf(name));

    const { topics, resources } = await withAdmin(config, async (admin) => ({
      ...(await admin.fetchTopicMetadata({ topics: [`${name}.a.g1`, `${name}.b.g1`, `${name}.f`, `${name}.dlq`] })),
      ...(await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: ConfigResourceTypes.TOPIC, name: `${name}.a.g1` }] })),
    }));
    const settings = Object.fromEntries(resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]) ?? []);
    expect(topics.map((topic) => topic.partitions.length).sort()).toEqual([1, 2, 2, 3]);
    expect(settings).toMatchObject({ 'message.timestamp.type': 'LogAppendTime', 'cleanup.policy': 'delete', 'retention.ms': '604800000' });
  });

  test('with another number of partitions are refused', async () => {
    const name = freshName('parts');
    await createTestTopic(config, `${name}.b.g1`, 5, { 'message.timestamp.type': 'LogAppendTime' });

    await expect(prepare(planOf(name))).rejects.toMatchObject({
      code: 'MILLRACE_TOPIC_MISMATCH',
      message: expect.stringMatching(/b\.g1 has 5 partitions, the plan needs 2; .*--namespace/),
    });
  });

  test.each([
    ['message.timestamp.type', 'CreateTime'],
    ['cleanup.policy', 'compact'],
  ])('with %s=%s are refused, with the command that mends it', async (setting, value) => {
    const name = freshName('wrong');
    await createTestTopic(config, `${name}.dlq`, 1, { 'message.timestamp.type': 'LogAppendTime', [setting]: value });

    await expect(prepare(planOf(name))).rejects.toMatchObject({
      code: 'MILLRACE_TOPIC_MISMATCH',
      message: expect.stringMatching(new RegExp(`dlq has ${setting}=${value}.*kafka-configs.sh --alter`)),
    });
  });

  test("of users are named when they are missing, and made only if that was asked for; nothing of the pipeline's is made before", async () => {
    const name = freshName('users');
    const plan = planOf(name, [`${name}-out`]);

    await expect(prepare(plan)).rejects.toMatchObject({
      code: 'MILLRACE_TOPIC_MISSING',
      message: expect.stringContaining(`no topic ${name}-out;`),
    });
    await expect(withAdmin(config, (admin) => admin.listTopics())).resolves.not.toContain(`${name}.dlq`);
    await prepare(plan, true);
    await expect(withAdmin(config, (admin) => admin.listTopics())).resolves.toEqual(expect.arrayContaining([`${name}-out`, `${name}.dlq`]));
  });

  test('with brokers that answer no more, that is what is told', async () => {
    const proxy = await openKafkaProxy(config.brokers[0] ?? '');
    const seen = (apiKey: number): number => proxy.requests.filter((one) => one === apiKey).length;
    proxy.fateOf = (apiKey) => (apiKey === API.metadata && seen(apiKey) > 1 ? 'lose' : 'pass');

    const prepared = prepareKafkaTopics(
      { ...config, brokers: [proxy.address] },
      { plan: planOf(freshName('mute')), createUsersTopics: false },
    );

    await expect(prepared).rejects.toMatchObject({
      code: 'MILLRACE_CONNECTION_LOST',
      message: expect.stringMatching(/failed: no broker answered\. Check that the brokers are up/),
      cause: expect.objectContaining({ name: 'TypeError' }), // else the client has been mended
    });
    await proxy.close();
  });
});
