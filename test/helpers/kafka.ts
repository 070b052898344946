import { randomUUID } from 'node:crypto';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { type KafkaConfig, parseKafkaConfig } from '../../functions/channels/kafka/config.ts';
import { describeWithServices } from './services.ts';

/** A suite that needs the shared Kafka; see `describeWithServices`. */
export function describeWithKafka(title: string, suite: (config: KafkaConfig) => void): void {
  describeWithServices(['kafka'], title, ({ kafka }) => suite(parseKafkaConfig({ MILLRACE_KAFKA: kafka.address })));
}

/** A name that no other test has. */
export function freshName(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 8)}`;
}

/** Runs `work` with an administrator of the test's own making, not ours. */
export async function withAdmin<T>(config: KafkaConfig, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Kafka({ brokers: [...config.brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Makes a topic with `configs`, for example `{ 'max.message.bytes': '4096' }`, and waits until it has leaders. */
export async function createTestTopic(
  config: KafkaConfig,
  topic: string,
  partitions: number,
  configs: Readonly<Record<string, string>> = {},
): Promise<void> {
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }));
  await withAdmin(config, async (admin) => {
    await admin.createTopics({ topics: [{ topic, numPartitions: partitions, configEntries }], waitForLeaders: false });
    for (let isThere = false; !isThere;)
      isThere = await admin
        .fetchTopicOffsets(topic)
        .then(() => true)
        .catch(() => false);
  });
}
