import type { KafkaMessage } from 'kafkajs';
import { MillraceError } from '../../shared/errors.ts';
import type { KafkaConfig } from './config.ts';

/**
 * What Millrace uses of the classes below kafkajs 2.2.4's public API; it exports and describes none of them. Its producer
 * will not do for transactions: after a failure at one broker it sends again what is still under way to others, under new sequence
 * numbers; it looks up the coordinator before every request; and offsets fail that come while the last commit's markers are written.
 */
export interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  /** Knows partitions and leaders of these topics from now on. */
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  /** Asks again for what it knows of topics. */
  refreshMetadata(): Promise<void>;
  findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number; readonly leader: number }[];
  findControllerBroker(): Promise<Broker>;
  /** A broker by its number, connected. */
  findBroker(node: { readonly nodeId: number }): Promise<Broker>;
}

/** One broker. Requests over its one connection go out and are answered in the order of the calls. */
export interface Broker {
  readonly connectionPool: ConnectionPool;
  /** By API key: what the broker speaks. */
  readonly versions: Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number } | undefined>>;
  /** `coordinatorType`: 0 of a group, 1 of a transactional id, and `groupId` is either. */
  findGroupCoordinator(request: {
    readonly groupId: string;
    readonly coordinatorType: 0 | 1;
  }): Promise<{ readonly coordinator: { readonly nodeId: number } }>;
  initProducerId(request: { readonly transactionalId: string; readonly transactionTimeout: number }): Promise<Epoch>;
  addPartitionsToTxn(request: Identity & { readonly topics: readonly TopicPartitions[] }): Promise<AddPartitionsAnswer>;
  addOffsetsToTxn(request: Identity & { readonly groupId: string }): Promise<unknown>;
  txnOffsetCommit(request: Identity & { readonly groupId: string; readonly topics: readonly TopicOffset[] }): Promise<unknown>;
  endTxn(request: Identity & { readonly transactionResult: boolean }): Promise<unknown>;
  /** `isolationLevel`: 1 up to the last stable offset, and with a list of what was aborted. At least one batch, however few bytes are asked for. */
  fetch(request: FetchRequest): Promise<FetchAnswer>;
}

interface ConnectionPool {
  send<A>(exchange: Exchange<A>): Promise<A>;
}

/** A request, and how its answer is read; kafkajs adds length and header (version 1) to the one and takes them off the other. */
export interface Exchange<A> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    encode(): Promise<{ readonly buf: Buffer; readonly buffer: Buffer }>;
  };
  readonly response: { decode(answer: Buffer): Promise<A>; parse(decoded: A): Promise<A> };
}

/** Of a producer: decimal, as it may be beyond 2^53. */
interface Epoch {
  readonly producerId: string;
  readonly producerEpoch: number;
}

/** Of a transactional producer, in each of its requests. */
export interface Identity extends Epoch {
  readonly transactionalId: string;
}

export interface TopicPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

interface TopicOffset {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly offset: string; readonly metadata: string | null }[];
}

interface AddPartitionsAnswer {
  readonly errors: readonly { readonly topic: string; readonly partitionErrors: readonly PartitionAnswer[] }[];
}

interface FetchRequest {
  readonly isolationLevel: 0 | 1;
  /** In ms. */
  readonly maxWaitTime: number;
  readonly minBytes: number;
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly fetchOffset: string; readonly maxBytes: number }[];
  }[];
}

interface FetchAnswer {
  readonly responses: readonly { readonly partitions: readonly FetchedPartition[] }[];
}

/** From the beginning of the batch that holds the offset asked for. */
export interface FetchedPartition {
  readonly highWatermark: string;
  readonly lastStableOffset: string;
  readonly abortedTransactions: readonly { readonly producerId: string; readonly firstOffset: string }[] | null;
  readonly messages: readonly FetchedMessage[];
}

export type FetchedMessage = KafkaMessage & {
  readonly isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
};

interface PartitionAnswer {
  readonly partition: number;
  readonly errorCode: number;
}

/** A cluster, not yet connected: addresses, TLS and SASL as for every other client of ours. kafkajs is loaded by the first call. */
export async function createCluster(config: KafkaConfig): Promise<Cluster> {
  const { createKafkaClient } = await import('./client.ts');
  const client: object = createKafkaClient(config);
  const name = Object.getOwnPropertySymbols(client).find(({ description }) => description === 'private:Kafka:createCluster');
  const create: unknown = name && Reflect.get(client, name);
  if (typeof create !== 'function')
    throw new MillraceError(
      'MILLRACE_CONFIG_INVALID',
      'transactions and single messages need kafkajs 2.2.4, and another version is installed: install that one',
    );
  return (create as (options: object) => Cluster)({ allowAutoTopicCreation: false, metadataMaxAge: METADATA_MAX_AGE_MS });
}

const METADATA_MAX_AGE_MS = 300_000;

/** The same broker, whose answers come undecided: kafkajs throws the first error in them, and does not say whose it is. */
export function withoutVerdict(broker: Broker): Broker {
  const { connectionPool } = broker;
  const send = <A>({ request, response }: Exchange<A>): Promise<A> =>
    connectionPool.send({
      request,
      response: { decode: (answer) => response.decode(answer), parse: (decoded) => Promise.resolve(decoded) },
    });
  const pool = Object.create(connectionPool, { send: { value: send } }) as ConnectionPool;
  return Object.create(broker, { connectionPool: { value: pool } }) as Broker;
}
