import type { Consumer, ConsumerGroupJoinEvent, EachBatchPayload, KafkaMessage } from 'kafkajs';
import { createKafkaClient } from '../../functions/channels/kafka/client.ts';
import type { KafkaConfig } from '../../functions/channels/kafka/config.ts';
import { toKafkaError } from '../../functions/channels/kafka/kafka-error.ts';
import type { StartPosition } from '../../functions/graph/stage-plan.ts';
import type { EventMessage } from '../emulator/kafka-event-text.ts';
import type { MappingInput } from '../emulator/mapping-input.ts';
import { registerReaders } from './codecs.ts';
import { committedOffsets } from './group-offsets.ts';
import { OffsetCommitter } from './offset-committer.ts';
import { PrefetchWindow } from './prefetch-window.ts';
import { startOffset } from './start-offset.ts';
import { topicRanges, toTopicMessage } from './topic-reader.ts';

/** A member that says nothing for so long is taken for dead, in ms; after a kill -9 the next run waits as long. */
export const SESSION_MS = 10_000;
const HEARTBEAT_MS = 1000;
/** Longest wait of a fetch for new records, and so of a partition that is resumed, in ms. */
const FETCH_WAIT_MS = 100;
/** How often commits on partitions of other members are looked at, in ms. */
const REMIND_MS = 500;

export interface KafkaInputOptions {
  readonly config: KafkaConfig;
  readonly group: string;
  readonly topics: readonly string[];
  /** Where to begin in a partition without a committed offset. */
  readonly start: StartPosition;
  /** Something that people may want to know, and that needs nothing done. */
  readonly onTrouble: (text: string) => void;
}

/**
 * Reads topics of a real Kafka as a member of a consumer group, with a bounded window a partition. When another member joins, the
 * partitions that it gets stop here: a batch under way may end, but commits nothing.
 *
 * @throws MILLRACE_TOPIC_MISSING, MILLRACE_NOT_AUTHORIZED, MILLRACE_AUTHENTICATION_FAILED, MILLRACE_CONNECTION_LOST
 */
export async function openKafkaInput(options: KafkaInputOptions): Promise<MappingInput> {
  registerReaders();
  const counts = await Promise.all(
    options.topics.map(async (topic) => [topic, (await topicRanges(options.config, topic)).length] as const),
  );
  return new KafkaInput(options, counts);
}

class KafkaInput implements MappingInput {
  readonly bootstrapServers: string;
  readonly partitions: readonly PrefetchWindow[];
  private readonly options: KafkaInputOptions;
  private readonly consumer: Consumer;
  private readonly committer: OffsetCommitter;
  /** Resolves when what the group last agreed on is in force. */
  private assigned: Promise<void> = Promise.resolve();
  private breakDown: (error: unknown) => void = () => undefined;
  private end: () => void = () => undefined;
  private reminder: NodeJS.Timeout | undefined;
  private isConnected = false;

  constructor(options: KafkaInputOptions, counts: readonly (readonly [topic: string, partitions: number])[]) {
    this.options = options;
    const { config, group } = options;
    this.bootstrapServers = config.brokers.join(',');
    this.partitions = counts.flatMap(([topic, count]) => Array.from({ length: count }, (_, partition) => this.window(topic, partition)));
    this.consumer = createKafkaClient(config).consumer({
      groupId: group,
      sessionTimeout: SESSION_MS,
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      allowAutoTopicCreation: false,
      retry: { retries: 8, initialRetryTime: 100, maxRetryTime: 2000 },
    });
    this.committer = new OffsetCommitter(
      (offsets) => this.consumer.commitOffsets(offsets.map(({ offset, ...partition }) => ({ ...partition, offset: String(offset) }))),
      ({ topic, partition, offset }) => this.find(topic, partition)?.acknowledge(offset),
    );
  }

  isHeldBack(): boolean {
    return false; // Kafka has room, and retention for what is in it
  }

  watchRoom(): () => void {
    return () => undefined;
  }

  run(): Promise<void> {
    const broken = new Promise<void>((resolve, reject) => {
      this.end = resolve;
      this.breakDown = (error) => reject(this.describe(error));
    });
    this.join().catch((error: unknown) => this.breakDown(error));
    return broken;
  }

  async close(): Promise<void> {
    clearInterval(this.reminder);
    if (this.isConnected) {
      await this.committer.close();
      await this.consumer.disconnect();
    }
    this.end();
  }

  private async join(): Promise<void> {
    const { consumer } = this;
    const { topics, onTrouble } = this.options;
    consumer.on(consumer.events.GROUP_JOIN, (event) => {
      this.assigned = this.assigned.then(() => this.assign(event)).catch((error: unknown) => this.breakDown(error));
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (payload.restart) onTrouble(`reading ${topics.join(', ')} was interrupted and begins again: ${payload.error.message}`);
      else this.breakDown(payload.error);
    });
    await consumer.connect();
    this.isConnected = true;
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: this.partitions.length,
      eachBatch: (payload) => this.take(payload),
    });
    this.reminder = setInterval(() => {
      for (const window of this.partitions) window.remind();
    }, REMIND_MS);
    this.reminder.unref();
  }

  /** What the group has agreed on: all partitions that are newly ours go on at the group's offsets. */
  private async assign({ payload }: ConsumerGroupJoinEvent): Promise<void> {
    const isAssigned = ({ topic, partition }: PrefetchWindow): boolean => payload.memberAssignment[topic]?.includes(partition) ?? false;
    for (const window of this.partitions.filter((one) => one.isOurs && !isAssigned(one))) {
      window.revoke();
      this.committer.forget(window.topic, window.partition);
    }
    const fresh = this.partitions.filter((one) => !one.isOurs && isAssigned(one));
    if (fresh.length === 0) return;
    const { config, group, topics, start } = this.options;
    const committed = await committedOffsets(config, group, topics);
    for (const window of fresh) {
      const { topic, partition } = window;
      const known = committed(topic, partition);
      const position = known ?? (await startOffset(config, start, topic, partition));
      this.consumer.seek({ topic, partition, offset: String(position) });
      window.grant(position);
      // Else the next run would begin at what is the latest then.
      if (known === undefined) this.committer.add({ topic, partition, offset: position });
    }
  }

  private async take(payload: EachBatchPayload): Promise<void> {
    await this.assigned;
    if (payload.isStale()) return;
    const { batch } = payload;
    this.find(batch.topic, batch.partition)?.push(
      batch.messages.map((message) => toEventMessage(batch.partition, message)),
      Number(batch.highWatermark),
    );
  }

  private window(topic: string, partition: number): PrefetchWindow {
    const { config, group } = this.options;
    const owner = {
      pause: (): void => this.consumer.pause([{ topic, partitions: [partition] }]),
      resume: (): void => this.consumer.resume([{ topic, partitions: [partition] }]),
      commit: (_topic: string, _partition: number, offset: number): void => this.committer.add({ topic, partition, offset }),
      endOffset: async (): Promise<number> => (await topicRanges(config, topic)).find((range) => range.partition === partition)?.high ?? 0,
      committedOffset: async (): Promise<number> => (await committedOffsets(config, group, [topic]))(topic, partition) ?? 0,
    };
    return new PrefetchWindow(owner, topic, partition);
  }

  private find(topic: string, partition: number): PrefetchWindow | undefined {
    return this.partitions.find((window) => window.topic === topic && window.partition === partition);
  }

  private describe(error: unknown): Error {
    const { config, group, topics } = this.options;
    const resource = `group ${group}, topics ${topics.join(', ')}`;
    return toKafkaError(error, { action: 'reading', resource, brokers: config.brokers, fallback: 'MILLRACE_CONNECTION_LOST' });
  }
}

/** Kafka's number for times that the broker sets. */
const LOG_APPEND_TIME = 1;

function toEventMessage(partition: number, message: KafkaMessage): EventMessage {
  const { key, value, headers, offset, timestamp } = toTopicMessage(partition, message);
  // The client's types leave it out.
  const type = (message as { readonly batchContext?: { readonly timestampType?: number } }).batchContext?.timestampType;
  let bytes = (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, header] of headers) bytes += name.length + header.length;
  const timestampType = type === LOG_APPEND_TIME ? 'LOG_APPEND_TIME' : 'CREATE_TIME';
  return { key, value, headers, offset, timestamp, timestampType, bytes };
}
