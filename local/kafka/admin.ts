import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import { createKafkaClient } from '../../functions/channels/kafka/client.ts';
import type { KafkaConfig } from '../../functions/channels/kafka/config.ts';
import { toKafkaError } from '../../functions/channels/kafka/kafka-error.ts';

/** What a broker answers about a topic that it has just made, until all of them know it. */
const NOT_YET = ['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE', 'GROUP_COORDINATOR_NOT_AVAILABLE', 'NOT_COORDINATOR_FOR_GROUP'];
const PATIENCE_MS = 10_000;
const POLL_MS = 100;

/**
 * Does something as an administrator, again while a topic is still being made; so `work` must bear a repetition.
 *
 * @param resource - What it is about, for messages.
 * @throws MILLRACE_TOPIC_MISSING, MILLRACE_NOT_AUTHORIZED, MILLRACE_AUTHENTICATION_FAILED, MILLRACE_CONNECTION_LOST
 */
export async function withKafkaAdmin<T>(config: KafkaConfig, resource: string, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = createKafkaClient(config).admin();
  try {
    await admin.connect();
    return await patiently(() => work(admin));
  } catch (error) {
    const { brokers } = config;
    throw toKafkaError(error, { action: 'administration', resource, brokers, fallback: 'MILLRACE_CONNECTION_LOST' });
  } finally {
    await admin.disconnect();
  }
}

/** Resolves when every broker that may be asked knows these topics, which have been made. */
export async function untilThere(admin: Admin, topics: readonly string[]): Promise<void> {
  const unknown = [...NOT_YET, 'UNKNOWN_TOPIC_OR_PARTITION'];
  await patiently(() => admin.fetchTopicMetadata({ topics: [...topics] }), unknown);
  for (const topic of topics) await patiently(() => admin.fetchTopicOffsets(topic), unknown);
}

async function patiently<T>(work: () => Promise<T>, notYet: readonly string[] = NOT_YET): Promise<T> {
  for (const start = performance.now(); ;) {
    try {
      return await work();
    } catch (error) {
      const type = (error as { type?: string }).type ?? (error as { cause?: { type?: string } }).cause?.type;
      if (!notYet.includes(type ?? '') || performance.now() - start > PATIENCE_MS) throw error;
      await sleep(POLL_MS);
    }
  }
}
