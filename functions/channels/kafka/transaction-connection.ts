import { MillraceError } from '../../shared/errors.ts';
import { BrokerRefusal, refusalOf } from './broker-refusal.ts';
import { retryWhileBusy } from './busy-retry.ts';
import type { KafkaConfig } from './config.ts';
import { type Broker, type Cluster, createCluster } from './kafkajs-cluster.ts';

const TOPIC_AUTHORIZATION_FAILED = 29;
const GROUP = 0;
const TRANSACTION = 1;

/** What one producer talks to: the coordinators of its transactions and of its group, and the leaders of the partitions it appends to. */
export class TransactionConnection {
  /** Of transactions, and of the group: they may be one broker. */
  readonly coordinator: Broker;
  readonly groupCoordinator: Broker;
  private readonly cluster: Cluster;

  private constructor(cluster: Cluster, coordinator: Broker, groupCoordinator: Broker) {
    this.cluster = cluster;
    this.coordinator = coordinator;
    this.groupCoordinator = groupCoordinator;
  }

  /** `id`: of the producer and its group. `topic`: the input's, which has to exist. */
  static async open(config: KafkaConfig, id: string, topic: string): Promise<TransactionConnection> {
    const cluster = await createCluster(config);
    try {
      await cluster.connect();
      await cluster.addMultipleTargetTopics([topic]);
      const nodeId = cluster.findTopicPartitionMetadata(topic).find(({ leader }) => leader >= 0)?.leader;
      if (nodeId === undefined) throw new MillraceError('MILLRACE_CONNECTION_LOST', `topic ${topic} has no leader now; try again`);
      const broker = await cluster.findBroker({ nodeId });
      const find = (coordinatorType: 0 | 1): Promise<Broker> =>
        retryWhileBusy(config.requestTimeoutMs, async () => {
          const { coordinator } = await broker.findGroupCoordinator({ groupId: id, coordinatorType });
          return cluster.findBroker(coordinator);
        });
      const [coordinator, groupCoordinator] = await Promise.all([find(TRANSACTION), find(GROUP)]);
      return new TransactionConnection(cluster, coordinator, groupCoordinator);
    } catch (error) {
      void cluster.disconnect().catch(() => undefined);
      throw error;
    }
  }

  /** Learns of topics. @throws what stands for MILLRACE_TOPIC_MISSING or MILLRACE_NOT_AUTHORIZED, and names the topic in the latter */
  async learn(topics: readonly string[]): Promise<void> {
    // One by one, as the client does not say which of several it was refused; it asks the brokers only for those that are new to it.
    for (const topic of topics) {
      try {
        await this.cluster.addMultipleTargetTopics([topic]);
      } catch (error) {
        if (refusalOf(error) === 'TOPIC_AUTHORIZATION_FAILED') throw new BrokerRefusal(TOPIC_AUTHORIZATION_FAILED, `topic ${topic}`);
        throw error;
      }
    }
  }

  /** The broker that appends to a partition. @throws MILLRACE_TOPIC_MISSING there is no such partition. */
  async leaderOf(topic: string, partition: number): Promise<Broker> {
    const leader = this.leaderId(topic, partition);
    if (leader === undefined) await this.cluster.refreshMetadata(); // it may have been added since
    const nodeId = leader ?? this.leaderId(topic, partition);
    if (nodeId === undefined) {
      const last = this.cluster.findTopicPartitionMetadata(topic).length - 1;
      throw new MillraceError('MILLRACE_TOPIC_MISSING', `topic ${topic} has partitions 0 to ${last}, not ${partition}`);
    }
    if (nodeId < 0) throw new MillraceError('MILLRACE_PRODUCE_FAILED', `partition ${topic}-${partition} has no leader now; try again`);
    return this.cluster.findBroker({ nodeId });
  }

  /** Ends the connections. Of requests that are under way nobody hears. */
  close(): Promise<void> {
    return this.cluster.disconnect();
  }

  private leaderId(topic: string, partition: number): number | undefined {
    return this.cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) => partitionId === partition)?.leader;
  }
}
