import type { OutgoingMessage } from '../channel-writer.ts';
import type { TopicAppend } from '../transactional-log.ts';
import { BrokerRefusal, refusalOf } from './broker-refusal.ts';
import { isBusy, retryWhileBusy } from './busy-retry.ts';
import type { Broker, Identity, TopicPartitions } from './kafkajs-cluster.ts';
import { cutMessages } from './message-list.ts';
import { type ProduceAnswer, produceExchange, type ProduceRequest } from './produce-exchange.ts';
import type { BatchCompression } from './record-batch.ts';
import type { TransactionConnection } from './transaction-connection.ts';

/** What a partition still gets, a record batch an element. */
export interface Queue {
  readonly topic: string;
  readonly partition: number;
  readonly lists: (readonly OutgoingMessage[])[];
}

/** Of one request, up to 1 MB each: a broker takes requests of 100 MB at most. */
const MAX_LISTS = 16;

/** First sequence of the batch after the last possible one. */
const SEQUENCES = 2 ** 31;

/** How a producer appends: its name, limits, and its next sequence number by partition, which only an acknowledged batch moves on. */
export interface AppendContext {
  readonly identity: Identity;
  readonly sequences: Map<string, number>;
  /** Kafka's number of a topic's compression. */
  readonly compressionOf: (topic: string) => number;
  readonly timeoutMs: number;
  /** Takes what a topic refuses for its timestamp, a message at a time; the others go on. */
  readonly onRefused?: ((queue: Queue, message: OutgoingMessage, refusal: BrokerRefusal) => void) | undefined;
  readonly produce: (leader: Broker, request: ProduceRequest) => Promise<ProduceAnswer>;
}

/** Appends at a broker. */
export function produceAt({ connectionPool }: Broker, request: ProduceRequest): Promise<ProduceAnswer> {
  return connectionPool.send(produceExchange(request));
}

/** Lists of appends by partition, in the order given. */
export function queuesOf(appends: readonly TopicAppend[]): Queue[] {
  const byPartition = new Map<string, { topic: string; partition: number; messages: OutgoingMessage[] }>();
  for (const { topic, partition, messages } of appends) {
    const name = `${topic}-${partition}`;
    const known = byPartition.get(name) ?? { topic, partition, messages: [] };
    for (const message of messages) known.messages.push(message);
    if (known.messages.length > 0) byPartition.set(name, known);
  }
  return [...byPartition.values()].map(({ topic, partition, messages }) => ({
    topic,
    partition,
    lists: [...cutMessages(messages)],
  }));
}

/** Partitions by topic, as requests name them. */
export function partitionsOf(queues: readonly { readonly topic: string; readonly partition: number }[]): TopicPartitions[] {
  const byTopic = new Map<string, number[]>();
  for (const { topic, partition } of queues) byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition]);
  return [...byTopic].map(([topic, partitions]) => ({ topic, partitions }));
}

/**
 * Appends all lists: of each partition one at a time, and the next only after the acknowledgement of the one before. Whatever else than
 * an acknowledgement comes ends it, and then the transaction must not be committed.
 */
export async function appendAll(connection: TransactionConnection, queues: readonly Queue[], context: AppendContext): Promise<void> {
  for (let rest = queues; rest.length > 0; rest = rest.filter(({ lists }) => lists.length > 0)) {
    const round = rest.slice(0, MAX_LISTS);
    await retryWhileBusy(context.timeoutMs, () => appendHeads(connection, round, context));
  }
}

/** Appends the first list of each queue that has one: one request a broker and compression, side by side. */
async function appendHeads(connection: TransactionConnection, round: readonly Queue[], context: AppendContext): Promise<void> {
  const requests = new Map<Broker, Map<number, Queue[]>>();
  for (const queue of round) {
    if (queue.lists.length === 0) continue;
    const leader = await connection.leaderOf(queue.topic, queue.partition);
    const byCompression = requests.get(leader) ?? new Map<number, Queue[]>();
    requests.set(leader, byCompression);
    const compression = context.compressionOf(queue.topic);
    byCompression.set(compression, [...(byCompression.get(compression) ?? []), queue]);
  }
  const outcomes = await Promise.allSettled(
    [...requests].flatMap(([leader, lists]) => [...lists].map(([compression, queues]) => appendTo(leader, queues, compression, context))),
  );
  // Only now: a broker that is busy must not make us repeat what another is still at.
  const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
  if (failures.length > 0) throw failures.find((failure) => !isBusy(refusalOf(failure))) ?? failures[0];
}

async function appendTo(leader: Broker, queues: readonly Queue[], compression: number, context: AppendContext): Promise<void> {
  const { identity, timeoutMs } = context;
  const { topics } = await context.produce(leader, {
    ...identity,
    timeout: timeoutMs,
    ...(await compressorOf(compression)),
    topicData: topicDataOf(queues, context),
  });
  let refused: BrokerRefusal | undefined;
  for (const queue of queues) {
    const answers = topics.find(({ topicName }) => topicName === queue.topic)?.partitions;
    const code = answers?.find(({ partition }) => partition === queue.partition)?.errorCode ?? UNKNOWN_SERVER_ERROR;
    const refusal = settle(queue, code, context);
    if (refused === undefined || isBusy(refused.type)) refused = refusal ?? refused;
  }
  if (refused) throw refused;
}

/** `id`: Kafka's number. kafkajs knows all that are installed. */
async function compressorOf(id: number): Promise<{ compression?: BatchCompression }> {
  if (id === 0) return {};
  const { CompressionCodecs } = (await import('kafkajs')).default;
  const codecs: Readonly<Record<number, (() => Compressor) | undefined>> = CompressionCodecs;
  const codec = codecs[id]?.();
  if (!codec) throw new RangeError(`nobody knows compression ${id}`);
  return { compression: { id, compress: (buffer) => codec.compress({ buffer }) } };
}

interface Compressor {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
}

const UNKNOWN_SERVER_ERROR = -1;

function topicDataOf(queues: readonly Queue[], { sequences }: AppendContext) {
  return partitionsOf(queues).map(({ topic }) => ({
    topic,
    partitions: queues
      .filter((queue) => queue.topic === topic)
      .map(({ partition, lists: [messages = []] }) => ({
        partition,
        firstSequence: sequences.get(`${topic}-${partition}`) ?? 0,
        messages,
      })),
  }));
}

/**
 * Takes the list that was sent out of its queue, or cuts it: a topic may allow less than a list holds, by our estimate, or refuse the timestamp
 * of some, and takes it in halves.
 */
function settle(queue: Queue, errorCode: number, { sequences, onRefused }: AppendContext): BrokerRefusal | undefined {
  const { topic, partition, lists } = queue;
  const [list = []] = lists;
  if (errorCode === 0) {
    lists.shift();
    const name = `${topic}-${partition}`;
    sequences.set(name, ((sequences.get(name) ?? 0) + list.length) % SEQUENCES);
    return undefined;
  }
  const refusal = new BrokerRefusal(errorCode, `${topic}-${partition}`);
  const isRefused = onRefused !== undefined && refusal.type === 'INVALID_TIMESTAMP';
  if (!isRefused && !TOO_LARGE.has(refusal.type)) return refusal;
  const [message] = list;
  if (list.length > 1) {
    const half = list.length >> 1;
    lists.splice(0, 1, list.slice(0, half), list.slice(half));
  } else if (isRefused && message) {
    lists.shift();
    onRefused(queue, message, refusal);
  } else return refusal;
  return undefined;
}

const TOO_LARGE: ReadonlySet<string> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
