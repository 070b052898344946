/** `millrace dev` on guarded services: what is wrong is told once, with its code and the thing that it is about, and never a secret. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from 'kafkajs';
import { parseKafkaConfig } from '../../functions/channels/kafka/config.ts';
import { openZooKeeperCoordination } from '../../functions/coordination/zookeeper/zookeeper-coordination.ts';
import { type Ended, millrace, pipelineFile, Projects } from '../cli/command.ts';
import { createTestTopic, freshName, withAdmin } from '../helpers/kafka.ts';
import { describeWithSecureKafka } from '../helpers/services.ts';
import { describeWithZooKeeper, makeChroot, zookeeperConfig } from '../helpers/zookeeper.ts';

const projects = new Projects();
afterAll(() => projects.dispose());

/** Longest time until a run gives up on what no retry can mend, in ms: bundling included. */
const PATIENCE_MS = 30_000;

/** A run that ends with an error, the one line of which is JSON. */
async function refusalOf(
  dir: string,
  flags: readonly string[],
  env: Record<string, string> = {},
): Promise<{ ended: Ended; error: unknown; ms: number }> {
  const started = performance.now();
  const ended = await millrace(dir, ['dev', 'p.ts', '--json', '--namespace', freshName('guarded'), ...flags], env);
  const { error } = JSON.parse(ended.stdout) as { error?: unknown };
  return { ended, error, ms: performance.now() - started };
}

function expectRefusal({ ended, error, ms }: Awaited<ReturnType<typeof refusalOf>>, code: string, what: string, secret: string): void {
  expect(error).toMatchObject({ code, message: expect.stringContaining(what) });
  expect(ended.code).toBe(1);
  expect(ended.stdout + ended.stderr).not.toContain(secret);
  expect(ms).toBeLessThan(PATIENCE_MS);
}

describeWithSecureKafka('millrace dev on a guarded Kafka', (address, security) => {
  const admin = parseKafkaConfig({ MILLRACE_KAFKA: address });
  const { ca } = security;
  const password = security.users['alice'] ?? '';
  let topic = '';
  let dir = '';
  beforeAll(async () => {
    topic = freshName('guarded');
    await createTestTopic(admin, topic, 1);
    dir = projects.create({
      'p.ts': pipelineFile('guarded', `env.fromSource(kafka.source({ topic: '${topic}', value: json() }), { uid: 'in' }).print();`),
    });
  });

  const settings = (config: object): string[] => [
    '--kafka',
    security.sasl,
    '--kafka-config',
    join(projects.create({ 'kafka.json': JSON.stringify(config) }), 'kafka.json'),
  ];
  const alice = (given = password): object => ({ ssl: { ca }, sasl: { mechanism: 'scram-sha-512', username: 'alice', password: given } });

  async function giveToBob(resourceType: AclResourceTypes, resourceName: string, operation: AclOperationTypes): Promise<void> {
    const bobs = { principal: 'User:bob', host: '*', permissionType: AclPermissionTypes.ALLOW, operation };
    await withAdmin(admin, (client) =>
      client.createAcls({ acl: [{ ...bobs, resourceType, resourceName, resourcePatternType: ResourcePatternTypes.LITERAL }] }),
    );
  }

  test('another password', async () => {
    expectRefusal(await refusalOf(dir, settings(alice('hunter2'))), 'MILLRACE_AUTHENTICATION_FAILED', security.sasl, 'hunter2');
  }, 60_000);

  test('a broker of another CA', async () => {
    const config = { ...alice(), ssl: true };

    expectRefusal(await refusalOf(dir, settings(config)), 'MILLRACE_AUTHENTICATION_FAILED', security.sasl, password);
  }, 60_000);

  test('a topic that may not be read', async () => {
    await giveToBob(AclResourceTypes.TOPIC, topic, AclOperationTypes.READ);

    expectRefusal(await refusalOf(dir, settings(alice())), 'MILLRACE_NOT_AUTHORIZED', topic, password);
  }, 60_000);

  test('a group that may not be joined', async () => {
    const [open, group] = [freshName('open'), freshName('group')];
    await createTestTopic(admin, open, 1);
    await giveToBob(AclResourceTypes.GROUP, group, AclOperationTypes.READ);
    const source = `env.fromSource(kafka.source({ topic: '${open}', value: json(), group: '${group}' }), { uid: 'in' }).print();`;
    const own = projects.create({ 'p.ts': pipelineFile('guarded', source) });

    expectRefusal(await refusalOf(own, settings(alice())), 'MILLRACE_NOT_AUTHORIZED', group, password);
  }, 60_000);
});

describeWithZooKeeper('millrace dev on a guarded ZooKeeper', (address) => {
  test('state that belongs to another user', async () => {
    const [chroot, namespace] = [await makeChroot(address), freshName('guarded')];
    const owner = openZooKeeperCoordination(zookeeperConfig(chroot, { auth: 'ada:s3cret' }));
    await owner.multi([{ op: 'create', path: `/millrace/${namespace}/guarded/sum`, data: new Uint8Array() }]);
    await owner.close();
    const body = `env.fromElements(1).keyBy((n) => n).sum((n) => n).uid('sum').print();`;
    const dir = projects.create({ 'p.ts': pipelineFile('guarded', body) });
    const flags = ['--zookeeper', chroot, '--data', join(dir, 'data'), '--namespace', namespace];

    const refusal = await refusalOf(dir, flags, { MILLRACE_ZOOKEEPER_AUTH: 'eve:hunter2' });

    expectRefusal(refusal, 'MILLRACE_NOT_AUTHORIZED', `/millrace/${namespace}/guarded`, 'hunter2');
  }, 60_000);
});
