import { CompressionTypes, type Message, type Producer } from 'kafkajs';
import { isMillraceError, MillraceError } from '../../shared/errors.ts';
import type { ChannelWriter, OutgoingMessage } from '../channel-writer.ts';
import { createKafkaClient } from './client.ts';
import { type KafkaConfig, parseKafkaConfig } from './config.ts';
import { toKafkaError } from './kafka-error.ts';
import { cutMessages } from './message-list.ts';
import { toRecord } from './outgoing-record.ts';

/**
 * Longest pause in which a connection is trusted, in ms. A function's environment is frozen between invocations; meanwhile brokers and
 * what lies between close what is idle, and a request on such a connection would be waited for until its timeout.
 */
const TRUSTED_IDLE_MS = 60_000;

const COMPRESSION = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP } as const;

/**
 * The writer of a function whose log is a Kafka cluster; `env`: see `parseKafkaConfig`. Nothing is opened before the first call.
 *
 * @throws MILLRACE_CONFIG_INVALID
 */
export function openKafkaChannelWriter(env: Readonly<Record<string, string | undefined>>): ChannelWriter {
  return createKafkaChannelWriter(parseKafkaConfig(env));
}

/** The same with a configuration at hand. `now`: wall clock in ms. */
export function createKafkaChannelWriter(config: KafkaConfig, now: () => number = Date.now): ChannelWriter {
  return new KafkaChannelWriter(config, now);
}

/**
 * Appends over a plain producer, acks from all in-sync replicas. Not an idempotent one: kafkajs 2.2.4 loses and doubles messages when
 * such a producer has several sends under way and connections are cut. A plain one can only double, and readers of channels and dead
 * letters drop copies.
 */
class KafkaChannelWriter implements ChannelWriter {
  private readonly config: KafkaConfig;
  private readonly now: () => number;
  private readonly partitionCounts = new Map<string, number>();
  private connecting: Promise<Producer> | undefined;
  private underWay = 0;
  private lastAnswer = 0;
  private isSuspect = false;

  constructor(config: KafkaConfig, now: () => number) {
    this.config = config;
    this.now = now;
  }

  async append(topic: string, partition: number, messages: readonly OutgoingMessage[]): Promise<void> {
    for (const list of cutMessages(messages)) await this.appendList(topic, partition, list);
  }

  async partitionCount(topic: string): Promise<number> {
    const known = this.partitionCounts.get(topic);
    if (known !== undefined) return known;
    const admin = createKafkaClient(this.config).admin();
    try {
      await admin.connect();
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      const count = topics[0]?.partitions.length ?? 0;
      this.partitionCounts.set(topic, count);
      return count;
    } catch (error) {
      throw this.describe(error, 'looking up', topic, 'MILLRACE_CONNECTION_LOST');
    } finally {
      await admin.disconnect();
    }
  }

  async close(): Promise<void> {
    const { connecting } = this;
    this.connecting = undefined;
    const producer = await connecting?.catch(() => undefined);
    await producer?.disconnect();
  }

  /** One list is one record batch. A topic whose limit is below our estimate gets it in halves, in order. */
  private async appendList(topic: string, partition: number, messages: readonly OutgoingMessage[]): Promise<void> {
    try {
      await this.send(topic, partition, messages);
    } catch (error) {
      if (messages.length === 1 || !isMillraceError(error, 'MILLRACE_MESSAGE_TOO_LARGE')) throw error;
      const half = messages.length >> 1;
      await this.appendList(topic, partition, messages.slice(0, half));
      await this.appendList(topic, partition, messages.slice(half));
    }
  }

  private async send(topic: string, partition: number, messages: readonly OutgoingMessage[]): Promise<void> {
    const producer = await this.producer(topic);
    this.underWay++;
    try {
      await producer.send({
        topic,
        acks: -1,
        timeout: this.config.requestTimeoutMs,
        compression: COMPRESSION[this.config.compression],
        messages: messages.map((message) => ({ ...toRecord(message), partition }) as Message),
      });
      this.lastAnswer = this.now();
    } catch (error) {
      const failure = this.describe(error, 'an append', `${topic}-${partition}`, 'MILLRACE_PRODUCE_FAILED');
      this.isSuspect ||= failure.retry === 'backoff';
      throw failure;
    } finally {
      this.underWay--;
    }
  }

  /** The connection, a new one where the old may be dead. Never while something is under way: a client that closes fails its other sends. */
  private async producer(topic: string): Promise<Producer> {
    const isStale = this.isSuspect || this.now() - this.lastAnswer > TRUSTED_IDLE_MS;
    if (this.connecting !== undefined && isStale && this.underWay === 0) {
      void this.connecting.then((producer) => producer.disconnect()).catch(() => undefined);
      this.connecting = undefined;
    }
    if (this.connecting === undefined) {
      this.isSuspect = false;
      this.lastAnswer = this.now();
      this.connecting = this.connect();
    }
    const { connecting } = this;
    try {
      return await connecting;
    } catch (error) {
      if (this.connecting === connecting) this.connecting = undefined;
      throw this.describe(error, 'connecting for an append', topic, 'MILLRACE_PRODUCE_FAILED');
    }
  }

  private async connect(): Promise<Producer> {
    const producer = createKafkaClient(this.config).producer({ allowAutoTopicCreation: false, createPartitioner: () => namedPartition });
    try {
      await producer.connect();
      return producer;
    } catch (error) {
      await producer.disconnect();
      throw error;
    }
  }

  private describe(error: unknown, action: string, resource: string, fallback: 'MILLRACE_PRODUCE_FAILED' | 'MILLRACE_CONNECTION_LOST') {
    return toKafkaError(error, { action, resource, brokers: this.config.brokers, fallback });
  }
}

/** The client would drop messages for a partition that there is not without a word. */
function namedPartition({ topic, partitionMetadata, message }: PartitionChoice): number {
  const partition = message.partition ?? 0;
  if (partition < partitionMetadata.length) return partition;
  throw new MillraceError('MILLRACE_TOPIC_MISSING', `topic ${topic} has partitions 0 to ${partitionMetadata.length - 1}, not ${partition}`);
}

interface PartitionChoice {
  readonly topic: string;
  readonly partitionMetadata: readonly unknown[];
  readonly message: Message;
}
