import type { Producer, ProducerRecord } from 'kafkajs';
import { MillraceError } from '../../shared/errors.ts';
import { createKafkaClient } from './client.ts';
import type { KafkaConfig } from './config.ts';
import { TRUSTED_IDLE_MS } from './trusted-idle.ts';

/** What sets one producer of a writer apart from another. */
export interface LinkOptions {
  readonly isIdempotent: boolean;
  /** Of one request. @default - kafkajs's few, as for every client of ours */
  readonly retries: number | undefined;
}

/** One kafkajs producer, made anew where its connections may be dead. An idempotent one has one send at a time: kafkajs doubles and loses else. */
export class ProducerLink {
  private readonly config: KafkaConfig;
  private readonly options: LinkOptions;
  private readonly now: () => number;
  private connecting: Promise<Producer> | undefined;
  private underWay = 0;
  private lastAnswer = 0;
  private isSuspect = false;
  private queue: Promise<unknown> = Promise.resolve();

  constructor(config: KafkaConfig, options: LinkOptions, now: () => number) {
    this.config = config;
    this.options = options;
    this.now = now;
  }

  /**
   * @param describe - Makes a client's error one of ours; after one that may pass, the next send has a new producer.
   * @throws what `describe` gives.
   */
  send(record: ProducerRecord, describe: (error: unknown, action: string) => MillraceError): Promise<void> {
    if (!this.options.isIdempotent) return this.sendNow(record, describe);
    const sent = this.queue.then(() => this.sendNow(record, describe));
    this.queue = sent.catch(() => undefined);
    return sent;
  }

  async close(): Promise<void> {
    const { connecting } = this;
    this.connecting = undefined;
    const producer = await connecting?.catch(() => undefined);
    await producer?.disconnect();
  }

  private async sendNow(record: ProducerRecord, describe: (error: unknown, action: string) => MillraceError): Promise<void> {
    const producer = await this.producer(describe);
    this.underWay++;
    try {
      await producer.send(record);
      this.lastAnswer = this.now();
    } catch (error) {
      const failure = describe(error, 'an append');
      // An idempotent producer that had a failure does not know which of its numbers the broker has seen.
      this.isSuspect ||= failure.retry === 'backoff' || this.options.isIdempotent;
      throw failure;
    } finally {
      this.underWay--;
    }
  }

  /** The connection, a new one where the old may be dead. Never while something is under way: a client that closes fails its other sends. */
  private async producer(describe: (error: unknown, action: string) => MillraceError): Promise<Producer> {
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
      throw describe(error, 'connecting for an append');
    }
  }

  private async connect(): Promise<Producer> {
    const { isIdempotent, retries } = this.options;
    const producer = createKafkaClient(this.config, retries).producer({
      allowAutoTopicCreation: false,
      createPartitioner: () => namedPartition,
      ...(isIdempotent && { idempotent: true, maxInFlightRequests: 1 }),
    });
    try {
      await producer.connect();
      return producer;
    } catch (error) {
      await producer.disconnect();
      throw error;
    }
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
  readonly message: { readonly partition?: number };
}
