import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from '@jest/globals';
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from 'kafkajs';
import type { ChannelWriter } from '../../functions/channels/channel-writer.ts';
import { createKafkaChannelWriter, openKafkaChannelWriter } from '../../functions/channels/kafka/channel-writer.ts';
import { type KafkaConfig, parseKafkaConfig } from '../../functions/channels/kafka/config.ts';
import { createKafkaTransactionalLog } from '../../functions/channels/kafka/transactional-log.ts';
import { createTestTopic, describeWithKafka, freshName, withAdmin } from '../helpers/kafka.ts';
import { describeWithSecureKafka } from '../helpers/services.ts';

describeWithKafka('a Kafka writer', (config) => {
  let writer: ChannelWriter | undefined;
  const open = (changes: Partial<KafkaConfig> = {}): ChannelWriter => (writer = createKafkaChannelWriter({ ...config, ...changes }));
  afterEach(async () => {
    await writer?.close();
    writer = undefined;
  });

  test('names a topic that is missing, and does not make it, though the broker would', async () => {
    const topic = freshName('missing');
    const missing = open();

    await expect(missing.append(topic, 0, [{ key: null, value: Buffer.from('a') }])).rejects.toMatchObject({
      code: 'MILLRACE_TOPIC_MISSING',
      message: expect.stringContaining(topic),
    });
    await expect(missing.partitionCount(topic)).rejects.toMatchObject({ code: 'MILLRACE_TOPIC_MISSING' });
    await expect(withAdmin(config, (admin) => admin.listTopics())).resolves.not.toContain(topic);
  });

  test('appends a list of several MB in parts', async () => {
    const topic = freshName('long');
    await createTestTopic(config, topic, 1);
    const list = Array.from({ length: 30 }, (_, i) => ({ key: null, value: Buffer.alloc(100_000, i) }));

    await open().append(topic, 0, list);

    const [end] = await withAdmin(config, (admin) => admin.fetchTopicOffsets(topic));
    expect(end?.high).toBe('30');
  });

  test('compresses what it sends, if told so', async () => {
    const topic = freshName('gzip');
    await createTestTopic(config, topic, 1, { 'max.message.bytes': '2000' });
    const message = { key: null, value: Buffer.alloc(100_000, 'a') };

    const plain = open();
    await expect(plain.append(topic, 0, [message])).rejects.toMatchObject({ code: 'MILLRACE_MESSAGE_TOO_LARGE' });
    await plain.close();
    await expect(open({ compression: 'gzip' }).append(topic, 0, [message])).resolves.toBeUndefined();
  });

  test('gives up on brokers that are away', async () => {
    const away = open({ brokers: ['127.0.0.1:1'] });

    await expect(away.append('t', 0, [{ key: null, value: Buffer.from('a') }])).rejects.toMatchObject({ code: 'MILLRACE_PRODUCE_FAILED' });
    await expect(away.partitionCount('t')).rejects.toMatchObject({ code: 'MILLRACE_CONNECTION_LOST' });
  });

  test('gives up on a port without TLS when told to use it, and says so', async () => {
    const failure = open({ ssl: {} }).append('t', 0, [{ key: null, value: Buffer.from('a') }]);

    await expect(failure).rejects.toMatchObject({ code: 'MILLRACE_PRODUCE_FAILED', message: expect.stringContaining('TLS') });
  });

  test('opens a new connection after a pause in which the old one may have died', async () => {
    const topic = freshName('idle');
    await createTestTopic(config, topic, 1);
    let now = 0;
    writer = createKafkaChannelWriter(config, () => now);
    const append = (): Promise<void> | undefined => writer?.append(topic, 0, [{ key: null, value: Buffer.from('a') }]);

    for (const pause of [0, 59_000, 61_000, 1]) {
      now += pause;
      await append();
    }

    const [end] = await withAdmin(config, (admin) => admin.fetchTopicOffsets(topic));
    expect(end?.high).toBe('4');
  });
});

describeWithSecureKafka('a Kafka writer on guarded listeners', (address, security) => {
  const [username = '', password = ''] = Object.entries(security.users)[0] ?? [];
  const { ca, clientCert, clientKey } = security;

  /** What an append ends with; to a topic that is not there, with TOPIC_MISSING from a broker that lets us in. */
  async function attempt(broker: string, config: object, topic = freshName('missing')): Promise<unknown> {
    const writer = openKafkaChannelWriter({ MILLRACE_KAFKA: broker, MILLRACE_KAFKA_CONFIG: JSON.stringify(config) });
    try {
      await writer.append(topic, 0, [{ key: null, value: Buffer.from('a') }]);
      return undefined;
    } catch (error) {
      return error;
    } finally {
      await writer.close();
    }
  }

  test.each(['plain', 'scram-sha-256', 'scram-sha-512'])(
    'is let in by its password (%s), and not by another, which it does not tell',
    async (mechanism) => {
      await expect(attempt(security.sasl, { ssl: { ca }, sasl: { mechanism, username, password } })).resolves.toMatchObject({
        code: 'MILLRACE_TOPIC_MISSING',
      });
      const refused = await attempt(security.sasl, { ssl: { ca }, sasl: { mechanism, username, password: 'hunter2' } });
      expect(refused).toMatchObject({ code: 'MILLRACE_AUTHENTICATION_FAILED', message: expect.stringContaining(security.sasl) });
      expect(inspect(refused, { depth: 10, showHidden: true })).not.toContain('hunter2');
    },
  );

  test('is let in over TLS, and lets in no broker of another CA', async () => {
    await expect(attempt(security.tls, { ssl: { ca } })).resolves.toMatchObject({ code: 'MILLRACE_TOPIC_MISSING' });
    await expect(attempt(security.tls, { ssl: true })).resolves.toMatchObject({ code: 'MILLRACE_AUTHENTICATION_FAILED' });
  });

  test('is let in by its certificate, and not without one', async () => {
    const ssl = { ca, cert: clientCert, key: clientKey };

    await expect(attempt(security.mutualTls, { ssl })).resolves.toMatchObject({ code: 'MILLRACE_TOPIC_MISSING' });
    await expect(attempt(security.mutualTls, { ssl: { ca } })).resolves.toMatchObject({
      code: expect.stringMatching(/^MILLRACE_(AUTHENTICATION|PRODUCE)_FAILED$/),
    });
  });

  test('names the topic on which it lacks a right', async () => {
    const config = parseKafkaConfig({ MILLRACE_KAFKA: address });
    const topic = freshName('acl');
    await createTestTopic(config, topic, 1);
    const bobs = { principal: 'User:bob', host: '*', permissionType: AclPermissionTypes.ALLOW, operation: AclOperationTypes.WRITE };
    const resource = { resourceType: AclResourceTypes.TOPIC, resourceName: topic, resourcePatternType: ResourcePatternTypes.LITERAL };
    await withAdmin(config, (admin) => admin.createAcls({ acl: [{ ...bobs, ...resource }] }));
    const guarded = (user: string): object => ({
      ssl: { ca },
      sasl: { mechanism: 'scram-sha-512', username: user, password: security.users[user] },
    });

    await expect(attempt(security.sasl, guarded('alice'), topic)).resolves.toMatchObject({
      code: 'MILLRACE_NOT_AUTHORIZED',
      message: expect.stringContaining(topic),
    });
    await expect(attempt(security.sasl, guarded('bob'), topic)).resolves.toBeUndefined();
  });

  describe('a transaction', () => {
    const { TRANSACTIONAL_ID, GROUP, TOPIC } = AclResourceTypes;
    const { WRITE, READ, DESCRIBE } = AclOperationTypes;
    const admin = parseKafkaConfig({ MILLRACE_KAFKA: address });
    const alice = parseKafkaConfig({
      MILLRACE_KAFKA: security.sasl,
      MILLRACE_KAFKA_CONFIG: JSON.stringify({
        ssl: { ca },
        sasl: { mechanism: 'plain', username: 'alice', password: security.users['alice'] },
      }),
    });

    /** What is granted to somebody is nobody else's any more. */
    async function grant(user: string, resourceType: AclResourceTypes, resourceName: string, operation: AclOperationTypes): Promise<void> {
      const acl = { principal: `User:${user}`, host: '*', permissionType: AclPermissionTypes.ALLOW, operation };
      const resource = { resourceType, resourceName, resourcePatternType: ResourcePatternTypes.LITERAL };
      await withAdmin(admin, (client) => client.createAcls({ acl: [{ ...acl, ...resource }] }));
    }

    /** How alice's transaction into a topic of her own and another one ends, and how long it took, in ms. */
    async function transact(id: string, input: string, others: readonly string[]): Promise<{ error: unknown; ms: number }> {
      const log = createKafkaTransactionalLog(alice);
      const started = performance.now();
      try {
        const producer = await log.openProducer(id, input, 0);
        const messages = [{ key: null, value: Buffer.from('a') }];
        await producer.commit(
          others.map((topic) => ({ topic, partition: 0, messages })),
          1,
        );
        return { error: undefined, ms: performance.now() - started };
      } catch (error) {
        return { error, ms: performance.now() - started };
      } finally {
        await log.close();
      }
    }

    test.each([
      ['the transactional id', TRANSACTIONAL_ID, WRITE, (id: string) => `transactional id ${id}`],
      ['the group', GROUP, READ, (id: string) => `group ${id}`],
    ] as const)('names %s on which it lacks a right, at once, and no password', async (_, type, operation, named) => {
      const [id, input] = [freshName('id'), freshName('in')];
      await createTestTopic(admin, input, 1);
      await expect(transact(id, input, [input])).resolves.toMatchObject({ error: undefined });
      await grant('bob', type, id, operation);

      const { error, ms } = await transact(id, input, [input]);

      expect(error).toMatchObject({ code: 'MILLRACE_NOT_AUTHORIZED', retry: 'never', message: expect.stringContaining(named(id)) });
      expect(ms).toBeLessThan(alice.requestTimeoutMs);
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('alice-secret');
    });

    test.each([
      ['may not see', undefined],
      ['may see and not write to', DESCRIBE],
    ])('names the topic that it %s, of several', async (_, granted) => {
      const [id, open, closed] = [freshName('id'), freshName('open'), freshName('closed')];
      for (const topic of [open, closed]) await createTestTopic(admin, topic, 1);
      await grant('bob', TOPIC, closed, WRITE);
      if (granted !== undefined) await grant('alice', TOPIC, closed, granted);

      const { error, ms } = await transact(id, open, [open, closed]);

      expect(error).toMatchObject({ code: 'MILLRACE_NOT_AUTHORIZED', retry: 'never', message: expect.stringContaining(closed) });
      expect((error as Error).message).not.toContain(open);
      expect(ms).toBeLessThan(alice.requestTimeoutMs);
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('alice-secret');
    });
  });
});
