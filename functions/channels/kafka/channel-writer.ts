import type { CompressionTypes, Message } from 'kafkajs';
import type { ChannelWriter, OnRefused, OutgoingMessage } from '../channel-writer.ts';
import { createKafkaClient } from './client.ts';
import { compressionNumber } from './compression/codec.ts';
import { registerCodecs } from './compression/register.ts';
import { type KafkaConfig, parseKafkaConfig } from './config.ts';
import { toKafkaError } from './kafka-error.ts';
import { sendInLists } from './message-list.ts';
import { type KafkaSinks, USUAL } from './kafka-sinks.ts';
import { toRecord } from './outgoing-record.ts';
import { type LinkOptions, ProducerLink } from './producer-link.ts';

/**
 * The writer of a function whose log is a Kafka cluster; `env`: see `parseKafkaConfig`. Nothing is opened before the first call.
 *
 * @throws MILLRACE_CONFIG_INVALID
 */
export function openKafkaChannelWriter(env: Readonly<Record<string, string | undefined>>, sinks?: KafkaSinks): ChannelWriter {
  return createKafkaChannelWriter(parseKafkaConfig(env), Date.now, sinks);
}

/** The same with a configuration at hand. `now`: wall clock in ms. */
export function createKafkaChannelWriter(config: KafkaConfig, now: () => number = Date.now, sinks: KafkaSinks = USUAL): ChannelWriter {
  return new KafkaChannelWriter(config, now, sinks);
}

/**
 * Appends over a plain producer, acks from all in-sync replicas, unless a sink wants it otherwise for its topic. Not over an idempotent one, with
 * which kafkajs 2.2.4 could have only one send under way. A plain one can double, and readers of channels and dead letters drop copies.
 */
class KafkaChannelWriter implements ChannelWriter {
  private readonly config: KafkaConfig;
  private readonly now: () => number;
  private readonly partitionCounts = new Map<string, number>();
  private readonly sinks: KafkaSinks;
  /** Producers by their options: those of most topics share one. */
  private readonly links = new Map<string, ProducerLink>();

  constructor(config: KafkaConfig, now: () => number, sinks: KafkaSinks) {
    this.config = config;
    this.now = now;
    this.sinks = sinks;
    registerCodecs(sinks.codecs);
  }

  append(topic: string, partition: number, messages: readonly OutgoingMessage[], onRefused?: OnRefused): Promise<void> {
    return sendInLists(messages, (list) => this.send(topic, partition, list), onRefused);
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
    const links = [...this.links.values()];
    this.links.clear();
    await Promise.all(links.map((link) => link.close()));
  }

  private send(topic: string, partition: number, messages: readonly OutgoingMessage[]): Promise<void> {
    const { acks = 'all', compression = this.config.compression, idempotent = false, retries } = this.sinks.produces[topic] ?? {};
    const record = {
      topic,
      acks: acks === 'all' ? -1 : acks,
      timeout: this.config.requestTimeoutMs,
      // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- the enum is these numbers
      compression: compressionNumber(compression) as CompressionTypes,
      messages: messages.map((message) => ({ ...toRecord(message), partition }) as Message),
    };
    return this.link({ isIdempotent: idempotent, retries }).send(record, (error, action) =>
      this.describe(error, action, `${topic}-${partition}`, 'MILLRACE_PRODUCE_FAILED'),
    );
  }

  private link(options: LinkOptions): ProducerLink {
    const name = JSON.stringify(options);
    let link = this.links.get(name);
    if (!link) this.links.set(name, (link = new ProducerLink(this.config, options, this.now)));
    return link;
  }

  private describe(error: unknown, action: string, resource: string, fallback: 'MILLRACE_PRODUCE_FAILED' | 'MILLRACE_CONNECTION_LOST') {
    return toKafkaError(error, { action, resource, brokers: this.config.brokers, fallback });
  }
}
