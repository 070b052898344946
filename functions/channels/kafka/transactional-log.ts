import type { TransactionalLog, TransactionalProducer } from '../transactional-log.ts';
import { retryWhileBusy } from './busy-retry.ts';
import { type KafkaConfig, parseKafkaConfig } from './config.ts';
import { type KafkaSinks, USUAL } from './kafka-sinks.ts';
import type { Identity } from './kafkajs-cluster.ts';
import { fetchStableOffset } from './stable-offset.ts';
import { TransactionConnection } from './transaction-connection.ts';
import { openError } from './transaction-error.ts';
import { KafkaTransactionalProducer, type OpenedProducer, type ProducerTask } from './transactional-producer.ts';

/**
 * How long a transaction may take before the coordinator ends it by itself, in ms. Only where no newer producer comes does this matter:
 * until then readers of committed messages wait at the transaction of one that died.
 */
const TRANSACTION_TIMEOUT_MS = 60_000;

/**
 * Transactions of a function whose log is a Kafka cluster; `env`: see `parseKafkaConfig`. Nothing is opened before the first call.
 *
 * @throws MILLRACE_CONFIG_INVALID
 */
export function openKafkaTransactionalLog(env: Readonly<Record<string, string | undefined>>, sinks?: KafkaSinks): TransactionalLog {
  return createKafkaTransactionalLog(parseKafkaConfig(env), Date.now, sinks);
}

/** The same with a configuration at hand. `now`: wall clock in ms. */
export function createKafkaTransactionalLog(
  config: KafkaConfig,
  now: () => number = Date.now,
  sinks: KafkaSinks = USUAL,
): TransactionalLog {
  return new KafkaTransactionalLog(config, now, sinks);
}

/** Kafka 2.5 or newer (KIP-447), over the connections of kafkajs; see `Cluster` for why not over its producer. */
class KafkaTransactionalLog implements TransactionalLog {
  private readonly config: KafkaConfig;
  private readonly now: () => number;
  private readonly sinks: KafkaSinks;
  private readonly open = new Set<TransactionalProducer>();

  constructor(config: KafkaConfig, now: () => number, sinks: KafkaSinks) {
    this.config = config;
    this.now = now;
    this.sinks = sinks;
  }

  async openProducer(id: string, topic: string, partition: number): Promise<TransactionalProducer> {
    try {
      if (Object.keys(this.sinks.codecs).length > 0) (await import('./compression/register.ts')).registerCodecs(this.sinks.codecs);
      const producer = new KafkaTransactionalProducer(await this.begin({ id, topic, partition }), this.config, this.sinks, this.now);
      this.open.add(producer);
      return producer;
    } catch (error) {
      throw openError(error, id, topic, this.config);
    }
  }

  async close(): Promise<void> {
    const producers = [...this.open];
    this.open.clear();
    await Promise.all(producers.map((producer) => producer.close()));
  }

  private async begin(task: ProducerTask): Promise<OpenedProducer> {
    const { id, topic, partition } = task;
    const { requestTimeoutMs } = this.config;
    const connection = await TransactionConnection.open(this.config, id, topic);
    try {
      const identity = await retryWhileBusy(requestTimeoutMs, () => takeEpoch(connection, id));
      const fetch = (): Promise<number | undefined> => fetchStableOffset(connection.groupCoordinator, id, topic, partition);
      // A broker that has just begun refuses groups that it will coordinate in a moment.
      const committed = await retryWhileBusy(requestTimeoutMs, fetch, 'NOT_COORDINATOR_FOR_GROUP');
      return { task, connection, identity, committed, onClose: (producer) => this.open.delete(producer) };
    } catch (error) {
      void connection.close().catch(() => undefined);
      throw error;
    }
  }
}

/**
 * Shuts out older producers of this id: what one has open is aborted under a newer epoch, in every partition that is part of it; what is
 * decided is written out. It is refused as concurrent until that is done, so when it succeeds nothing of theirs is undecided.
 */
async function takeEpoch(connection: TransactionConnection, transactionalId: string): Promise<Identity> {
  const request = { transactionalId, transactionTimeout: TRANSACTION_TIMEOUT_MS };
  const { producerId, producerEpoch } = await connection.coordinator.initProducerId(request);
  return { transactionalId, producerId, producerEpoch };
}
