/** What the listeners of the shared Kafka let in, and what its authorizer takes away: the ground that tests of security stand on. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, type KafkaConfig, logLevel, ResourcePatternTypes } from 'kafkajs';
import { describeWithSecureKafka, describeWithServices } from '../helpers/services.ts';
import { freshName } from '../helpers/kafka.ts';

/** Topics that a client with this configuration sees. */
async function listTopics(config: KafkaConfig): Promise<string[]> {
  const admin = new Kafka({ logLevel: logLevel.NOTHING, retry: { retries: 0 }, ...config }).admin();
  try {
    await admin.connect();
    return await admin.listTopics();
  } finally {
    await admin.disconnect();
  }
}

describeWithSecureKafka('the listeners of Kafka', (address, security) => {
  const ca = readFileSync(security.ca, 'utf8');
  const password = security.users['alice'] ?? '';
  const sasl = (mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512', given = password): KafkaConfig => ({
    brokers: [security.sasl],
    ssl: { ca },
    // One of three types, by mechanism; kafkajs has no name for their union.
    sasl: { mechanism, username: 'alice', password: given } as NonNullable<KafkaConfig['sasl']>,
  });

  test('TLS asks for no certificate, and needs the authority', async () => {
    await expect(listTopics({ brokers: [security.tls], ssl: { ca } })).resolves.toEqual(expect.any(Array));
    await expect(listTopics({ brokers: [security.tls], ssl: true })).rejects.toThrow(/self-signed certificate/);
  });

  test('mutual TLS asks for a certificate', async () => {
    const [cert, key] = [security.clientCert, security.clientKey].map((path) => readFileSync(path, 'utf8'));

    await expect(listTopics({ brokers: [security.mutualTls], ssl: { ca, cert, key } })).resolves.toEqual(expect.any(Array));
    await expect(listTopics({ brokers: [security.mutualTls], ssl: { ca } })).rejects.toThrow();
  });

  test.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)('%s takes the right password only', async (mechanism) => {
    await expect(listTopics(sasl(mechanism))).resolves.toEqual(expect.any(Array));
    await expect(listTopics(sasl(mechanism, 'wrong'))).rejects.toThrow(/[Aa]uthentication failed/);
  });

  test('a right to a topic that is given to another user is taken from the rest', async () => {
    const topic = freshName('guarded');
    const admin = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] });
    await admin.createAcls({
      acl: [
        {
          resourceType: AclResourceTypes.TOPIC,
          resourceName: topic,
          resourcePatternType: ResourcePatternTypes.LITERAL,
          principal: 'User:bob',
          host: '*',
          operation: AclOperationTypes.ALL,
          permissionType: AclPermissionTypes.ALLOW,
        },
      ],
    });

    await admin.disconnect();

    await expect(listTopics({ brokers: [address] })).resolves.toContain(topic);
    // The broker learns of it from the controller, a moment later.
    while ((await listTopics(sasl('scram-sha-512'))).includes(topic));
    await expect(
      listTopics({ ...sasl('plain'), sasl: { mechanism: 'plain', username: 'bob', password: security.users['bob'] ?? '' } }),
    ).resolves.toContain(topic);
  });
});

describeWithServices(['kafka', 'kafka4', 'zookeeper'], 'the shared services', ({ kafka, kafka4 }) => {
  test('has two Kafkas, apart', async () => {
    const topic = freshName('apart');
    const admin = new Kafka({ brokers: [kafka4.address], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] });
    await admin.disconnect();

    await expect(listTopics({ brokers: [kafka4.address] })).resolves.toContain(topic);
    await expect(listTopics({ brokers: [kafka.address] })).resolves.not.toContain(topic);
  });
});
