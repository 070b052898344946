/**
 * What a TypeScript developer writes by hand: parse, compute, stringify, send. `idempotent`: offsets are committed after the send, at least
 * once. `transactional`: a transaction a batch, exactly once. Counts are in a Map either way: lost with the process.
 */
import { type Batch, type EachBatchPayload, Kafka, logLevel, type Message, type Producer, type Transaction } from 'kafkajs';

interface Bid {
  readonly auction: number;
  readonly dateTime: number;
}

const env = (name: string): string => process.env[name] ?? '';
const [input, output, run] = [env('PEERS_IN'), env('PEERS_OUT'), env('PEERS_RUN')];
const isTransactional = process.argv[2] === 'transactional';
const kafka = new Kafka({ brokers: [env('PEERS_BROKER')], clientId: run, logLevel: logLevel.ERROR });

/** kafkajs groups the messages of one send by partition in quadratic time. */
const CHUNK = 500;
/** A new transaction often meets the last one's markers; kafkajs would wait 300 ms. */
const FIRST_RETRY_MS = 5;

const counts = new Map<number, number>();
const queries: Readonly<Record<string, (bid: Bid) => object | undefined>> = {
  q0: (bid) => bid,
  q2: (bid) => (bid.auction % 123 === 0 ? bid : undefined),
  q12: ({ auction, dateTime }) => {
    const count = (counts.get(auction) ?? 0) + 1;
    counts.set(auction, count);
    return { auction, count, dateTime };
  },
};
const query = queries[env('PEERS_QUERY')];

function transform({ messages }: Batch): Message[] {
  return messages.flatMap(({ key, value }) => {
    const result = query?.(JSON.parse(value?.toString() ?? '') as Bid);
    return result ? [{ key, value: JSON.stringify(result) }] : [];
  });
}

async function sendAll(target: Pick<Producer | Transaction, 'send'>, messages: readonly Message[]): Promise<void> {
  for (let i = 0; i < messages.length; i += CHUNK) await target.send({ topic: output, messages: messages.slice(i, i + CHUNK) });
}

/** A kafkajs producer has one transaction at a time, so there is one a partition. */
const producers = new Map<number, Promise<Producer>>();

function producerOf(partition: number): Promise<Producer> {
  let opened = producers.get(partition);
  if (!opened) {
    const retry = { initialRetryTime: FIRST_RETRY_MS };
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, transactionalId: `${run}-${partition}`, retry });
    producers.set(partition, (opened = producer.connect().then(() => producer)));
  }
  return opened;
}

const plain = kafka.producer({ idempotent: true });

async function eachBatch({ batch, resolveOffset, heartbeat }: EachBatchPayload): Promise<void> {
  const messages = transform(batch);
  if (isTransactional) {
    const transaction = await (await producerOf(batch.partition)).transaction();
    await sendAll(transaction, messages);
    const offset = String(BigInt(batch.lastOffset()) + 1n);
    await transaction.sendOffsets({
      consumerGroupId: run,
      topics: [{ topic: input, partitions: [{ partition: batch.partition, offset }] }],
    });
    await transaction.commit();
  } else await sendAll(plain, messages);
  resolveOffset(batch.lastOffset());
  await heartbeat();
}

const consumer = kafka.consumer({ groupId: run });
await Promise.all([isTransactional || plain.connect(), consumer.connect()]);
await consumer.subscribe({ topics: [input], fromBeginning: true });
await consumer.run({ eachBatch, autoCommit: !isTransactional, partitionsConsumedConcurrently: 4 });
process.on('SIGTERM', () => process.exit(0));
