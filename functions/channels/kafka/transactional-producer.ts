import { MillraceError } from '../../shared/errors.ts';
import type { OutgoingMessage } from '../channel-writer.ts';
import type { Bury, RefusedMessage, TopicAppend, TransactionalProducer } from '../transactional-log.ts';
import { BrokerRefusal } from './broker-refusal.ts';
import { retryWhileBusy } from './busy-retry.ts';
import { compressionNumber } from './compression/codec.ts';
import type { KafkaConfig } from './config.ts';
import type { KafkaSinks } from './kafka-sinks.ts';
import { type Identity, type TopicPartitions, withoutVerdict } from './kafkajs-cluster.ts';
import { TransactionConnection } from './transaction-connection.ts';
import { commitError } from './transaction-error.ts';
import { appendAll, partitionsOf, produceAt, type Queue, queuesOf } from './transactional-appends.ts';
import { TRUSTED_IDLE_MS } from './trusted-idle.ts';

/** What a producer is opened for: its name, which is its group's too, and the input partition whose offset it sets. */
export interface ProducerTask {
  readonly id: string;
  readonly topic: string;
  readonly partition: number;
}

/** What opening it has found out. */
export interface OpenedProducer {
  readonly task: ProducerTask;
  readonly connection: TransactionConnection;
  readonly identity: Identity;
  readonly committed: number | undefined;
  /** Told when it is closed. */
  readonly onClose: (producer: TransactionalProducer) => void;
}

/**
 * One epoch of a transactional producer, and one transaction at a time. Between two of them none is open, so it may lie idle for as long
 * as the broker remembers its id (a week, if not told otherwise). Nothing is ever sent twice and nothing is sent after a failure, least of
 * all an end: `commit` ends the only way that a transaction ends from here.
 */
export class KafkaTransactionalProducer implements TransactionalProducer {
  readonly committed: number | undefined;
  private readonly config: KafkaConfig;
  private readonly sinks: KafkaSinks;
  private readonly task: ProducerTask;
  private readonly identity: Identity;
  private readonly onClose: OpenedProducer['onClose'];
  /** Wall clock in ms. */
  private readonly now: () => number;
  /** By partition: the sequence number of the next message. */
  private readonly sequences = new Map<string, number>();
  private connection: TransactionConnection;
  private lastAnswer: number;
  private isUsable = true;

  constructor(
    { task, connection, identity, committed, onClose }: OpenedProducer,
    config: KafkaConfig,
    sinks: KafkaSinks,
    now: () => number,
  ) {
    this.committed = committed;
    this.config = config;
    this.sinks = sinks;
    this.task = task;
    this.identity = identity;
    this.onClose = onClose;
    this.now = now;
    this.connection = connection;
    this.lastAnswer = now();
  }

  async commit(appends: readonly TopicAppend[], offset: number, bury?: Bury): Promise<void> {
    const { id } = this.task;
    if (!this.isUsable)
      throw new MillraceError(
        'MILLRACE_PRODUCE_FAILED',
        `producer ${id} has failed, is closed, or has a transaction under way: open it again`,
      );
    this.isUsable = false;
    try {
      await this.transact(appends, offset, bury);
      this.lastAnswer = this.now();
      this.isUsable = true;
    } catch (error) {
      const topics = [...new Set([...appends.map(({ topic }) => topic), this.task.topic])];
      throw commitError(error, id, topics, this.config);
    }
  }

  close(): Promise<void> {
    this.isUsable = false;
    this.onClose(this);
    return this.connection.close();
  }

  /**
   * Three round trips. A partition and the group are part of the transaction before anything is sent to them: that is what lets the next
   * producer's first transaction shut out a request that is still under way there. The end goes out after all acknowledgements.
   */
  private async transact(appends: readonly TopicAppend[], offset: number, bury: Bury | undefined): Promise<void> {
    await this.renewIdle();
    const refused: RefusedMessage[] = [];
    await this.append(appends, offset, bury && refused);
    if (bury && refused.length > 0) await this.append(bury(refused), offset, undefined);
    await this.whileBusy(() => this.connection.coordinator.endTxn({ ...this.identity, transactionResult: true }));
  }

  /** @param refused - Takes messages whose timestamps are refused; undefined where they fail the transaction. */
  private async append(appends: readonly TopicAppend[], offset: number, refused: RefusedMessage[] | undefined): Promise<void> {
    const queues = queuesOf(appends);
    const partitions = partitionsOf(queues);
    const { connection, identity, sequences, config } = this;
    await connection.learn(partitions.map(({ topic }) => topic));
    for (const { topic, partition } of queues) await connection.leaderOf(topic, partition); // before the transaction begins
    await Promise.all([this.addPartitions(partitions), this.addGroup()]);
    const compressionOf = (topic: string): number => compressionNumber(this.sinks.produces[topic]?.compression ?? config.compression);
    const onRefused =
      refused &&
      ((queue: Queue, message: OutgoingMessage, refusal: BrokerRefusal): void => {
        refused.push({ topic: queue.topic, partition: queue.partition, message, error: this.describe(refusal, queue.topic) });
      });
    const context = { identity, sequences, compressionOf, timeoutMs: config.requestTimeoutMs, produce: produceAt, onRefused };
    await Promise.all([appendAll(connection, queues, context), this.setOffset(offset)]);
  }

  private describe(refusal: BrokerRefusal, topic: string): MillraceError {
    return commitError(refusal, this.task.id, [topic], this.config);
  }

  /** Epoch and sequences are the producer's, not its connections'. */
  private async renewIdle(): Promise<void> {
    if (this.now() - this.lastAnswer <= TRUSTED_IDLE_MS) return;
    void this.connection.close().catch(() => undefined);
    this.connection = await TransactionConnection.open(this.config, this.task.id, this.task.topic);
  }

  private async addPartitions(topics: readonly TopicPartitions[]): Promise<void> {
    if (topics.length === 0) return;
    await this.whileBusy(async () => {
      const { errors } = await withoutVerdict(this.connection.coordinator).addPartitionsToTxn({ ...this.identity, topics });
      const refused = errors.flatMap(({ topic, partitionErrors }) =>
        partitionErrors.flatMap(({ partition, errorCode }) =>
          errorCode === 0 ? [] : [new BrokerRefusal(errorCode, `${topic}-${partition}`)],
        ),
      );
      // Where one is refused, none of the others is tried.
      const refusal = refused.find(({ type }) => type !== 'OPERATION_NOT_ATTEMPTED') ?? refused[0];
      if (refusal) throw refusal;
    });
  }

  private addGroup(): Promise<unknown> {
    return this.whileBusy(() => this.connection.coordinator.addOffsetsToTxn({ ...this.identity, groupId: this.task.id }));
  }

  private setOffset(offset: number): Promise<unknown> {
    const { id, topic, partition } = this.task;
    const topics = [{ topic, partitions: [{ partition, offset: String(offset), metadata: null }] }];
    return this.whileBusy(() => this.connection.groupCoordinator.txnOffsetCommit({ ...this.identity, groupId: id, topics }));
  }

  private whileBusy<T>(call: () => Promise<T>): Promise<T> {
    return retryWhileBusy(this.config.requestTimeoutMs, call);
  }
}
