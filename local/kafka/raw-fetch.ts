import kafkajs, { type Kafka } from 'kafkajs';
import { BATCH, MAGIC } from '../../functions/channels/kafka/batch-layout.ts';
import { WireReader } from '../../functions/channels/kafka/wire.ts';
import { MillraceError } from '../../functions/shared/errors.ts';
import { type EventRecords, MessageRecords } from '../emulator/event-records.ts';
import { abortedBatches, type AbortedTransaction } from './aborted-batches.ts';
import { type BatchHead, BatchRecords, readBatchHead } from './record-batch-reader.ts';

/** What stands for all records of a batch where kafkajs 2.2.4 expects a message: enough for it to keep its place. */
export interface RawBatch {
  /** The last offset, decimal. */
  readonly offset: string;
  /** None of a marker, of a part of an aborted transaction, or of what the log cleaner has left empty: readers have only to move on. */
  readonly records: EventRecords;
}

/**
 * Has the consumers of `client` give a batch of records as one message, a `RawBatch`. kafkajs would make several objects of each record, which
 * costs more than reading them. Record sets of Kafka before 0.11 come as messages, as ever.
 */
export function withRawFetch(client: Kafka): Kafka {
  const name = Object.getOwnPropertySymbols(client).find(({ description }) => description === 'private:Kafka:createCluster');
  const create: unknown = name && Reflect.get(client, name);
  if (!name || typeof create !== 'function')
    throw new MillraceError('MILLRACE_CONFIG_INVALID', 'reading needs kafkajs 2.2.4, and another version is installed: install that one');
  Reflect.set(client, name, (options: object): FetchingCluster => {
    const cluster = (create as (options: object) => FetchingCluster)(options);
    const { connectionPoolBuilder } = cluster;
    const build = connectionPoolBuilder.build.bind(connectionPoolBuilder);
    connectionPoolBuilder.build = async (...args) => intercept(await build(...args));
    return cluster;
  });
  return client;
}

interface FetchingCluster {
  readonly connectionPoolBuilder: { build: (...args: readonly unknown[]) => Promise<ConnectionPool> };
}

interface ConnectionPool {
  send: (exchange: FetchExchange) => Promise<unknown>;
}

interface FetchExchange {
  readonly request: { readonly apiKey: number; readonly apiVersion: number };
  readonly response: { readonly decode: (answer: Buffer) => Promise<unknown>; readonly parse: unknown };
}

const FETCH = 1;
/** Those that kafkajs knows from the first with transactions on. */
const [FIRST_VERSION, LAST_VERSION] = [4, 11];

function intercept(pool: ConnectionPool): ConnectionPool {
  const send = pool.send.bind(pool);
  pool.send = (exchange) => {
    const { request, response } = exchange;
    const isOurs = request.apiKey === FETCH && request.apiVersion >= FIRST_VERSION && request.apiVersion <= LAST_VERSION;
    if (!isOurs) return send(exchange);
    const decode = async (answer: Buffer): Promise<unknown> => (await decodeFetch(answer, request.apiVersion)) ?? response.decode(answer);
    return send({ ...exchange, response: { ...response, decode } });
  };
  return pool;
}

/**
 * What kafkajs makes of an answer, but for the messages, and without aborted transactions: kafkajs 2.2.4 takes their list for sorted by first
 * offset, which it is not, and would give some of them to readers. Undefined if it holds records of an old format.
 */
export async function decodeFetch(answer: Buffer, version: number): Promise<object | undefined> {
  const decoded = parseFetch(answer, version);
  for (const { partitions } of decoded.responses) {
    for (const partition of partitions) {
      const messages = await batchesOf(partition);
      if (!messages) return undefined;
      partition.messages = messages;
      partition.abortedTransactions = [];
    }
  }
  return decoded;
}

/** The answer without a look into its record sets. @throws RangeError */
export function parseFetch(answer: Buffer, version: number): FetchAnswer {
  return new FetchReader(answer, version).answer();
}

/** Batches of a record set; the last one may be cut off by the limit of the answer. Undefined if they are of an old format. */
async function batchesOf({ recordSet, abortedTransactions }: FetchedPartition): Promise<RawBatch[] | undefined> {
  const isAborted = abortedBatches(abortedTransactions);
  const batches: RawBatch[] = [];
  for (let at = 0; at + BATCH.records <= recordSet.length;) {
    const end = at + BATCH.leaderEpoch + recordSet.readInt32BE(at + BATCH.length);
    if (recordSet.readInt8(at + BATCH.magic) !== MAGIC) return undefined;
    if (end > recordSet.length || end < at + BATCH.records) break;
    const batch = recordSet.subarray(at, end);
    const head = readBatchHead(batch);
    const bytes = batch.subarray(BATCH.records);
    const isVoid = isAborted({ ...head, isAbortMarker: isAbortMarker(head, bytes) }) || head.isControl || head.count === 0;
    batches.push({ offset: String(head.lastOffset), records: isVoid ? NO_RECORDS : await openBatch(head, bytes) });
    at = end;
  }
  return batches;
}

const NO_RECORDS = new MessageRecords([]);

/** A marker's key is its version and its type, two bytes each. A control batch that the log cleaner has emptied marks nothing. */
function isAbortMarker(head: BatchHead, bytes: Buffer): boolean {
  if (!head.isControl || head.count === 0) return false;
  const { key } = new BatchRecords(head, bytes).messageAt(0);
  return key?.[2] === 0 && key[3] === ABORT;
}

const ABORT = 0;

async function openBatch(head: BatchHead, bytes: Buffer): Promise<BatchRecords> {
  return new BatchRecords(head, head.compression === 0 ? bytes : await decompress(head.compression, bytes));
}

async function decompress(id: number, bytes: Buffer): Promise<Buffer> {
  const codecs: Readonly<Record<number, (() => { decompress(bytes: Buffer): Promise<Buffer> }) | undefined>> = kafkajs.CompressionCodecs;
  const open = codecs[id];
  if (!open) throw new RangeError(`records in compression ${id}, which nobody knows`);
  return open().decompress(bytes);
}

interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: string;
  readonly lastStableOffset: string;
  abortedTransactions: readonly AbortedTransaction[];
  readonly preferredReadReplica?: number;
  readonly recordSet: Buffer;
  messages: readonly RawBatch[];
}

interface FetchAnswer {
  readonly throttleTime: number;
  readonly clientSideThrottleTime: number;
  readonly errorCode: number;
  readonly sessionId: number;
  readonly responses: readonly { readonly topicName: string; readonly partitions: readonly FetchedPartition[] }[];
}

/** The layouts of versions 4 to 11. */
class FetchReader extends WireReader {
  private readonly version: number;

  constructor(bytes: Buffer, version: number) {
    super(bytes);
    this.version = version;
  }

  answer(): FetchAnswer {
    const throttleTime = this.int32();
    const isClientSide = this.version >= 8;
    const [errorCode, sessionId] = this.version >= 7 ? [this.int16(), this.int32()] : [0, 0];
    const responses = this.list(() => ({ topicName: this.text(), partitions: this.list(() => this.partition()) }));
    const throttle = isClientSide ? [0, throttleTime] : [throttleTime, 0];
    return { throttleTime: throttle[0] ?? 0, clientSideThrottleTime: throttle[1] ?? 0, errorCode, sessionId, responses };
  }

  private partition(): FetchedPartition {
    const [partition, errorCode, highWatermark, lastStableOffset] = [this.int32(), this.int16(), this.int64(), this.int64()];
    if (this.version >= 5) this.int64(); // first offset of the log
    const abortedTransactions = this.list(() => ({ producerId: this.int64(), firstOffset: this.int64() }));
    const replica = this.version >= 11 ? { preferredReadReplica: this.int32() } : {};
    return {
      partition,
      errorCode,
      highWatermark,
      lastStableOffset,
      abortedTransactions,
      ...replica,
      recordSet: this.block(),
      messages: [],
    };
  }
}
