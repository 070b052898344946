import { types } from 'node:util';
import type { ChannelWriter, OutgoingMessage } from '../../channels/channel-writer.ts';
import type { TopicAppend } from '../../channels/transactional-log.ts';
import type { Codec } from '../../codec/codec.ts';
import type { TopicProduction } from '../../graph/stage-plan.ts';
import { MillraceError } from '../../shared/errors.ts';
import { describeOrigin, ORIGIN_HEADER } from '../../shared/origin.ts';
import type { OutputOrigin, RefusedOutput, Sink, SinkContext, SinkWriter } from '../sink.ts';
import { checkCodec, checkTopic } from './options.ts';
import { checkProduction } from './production.ts';
import { type KafkaPartitioner, type KafkaPartitioning, toPartitioner } from './partitioner.ts';

export interface KafkaSinkOptions<T> {
  readonly topic: string;
  readonly value: Codec<T>;
  /** Key of the message: text as UTF-8, or bytes; anything else fails the record. Pure. @default no key */
  readonly key?: (value: T) => string | Uint8Array | null;
  /** Headers of the message, in this order; text as UTF-8, or bytes; anything else fails the record. Pure. @default none */
  readonly headers?: (value: T) => Readonly<Record<string, string | Uint8Array>>;
  /**
   * `exactly-once`: written in a transaction, so that readers with `isolation.level=read_committed` see each message once. Costs a
   * transaction with every batch that writes; a stage that also writes to other stages keeps a fence. @default 'at-least-once'
   */
  readonly delivery?: 'at-least-once' | 'exactly-once';
  /** Adds the header `millrace-origin`, which tells the input that made the message; `millrace why` follows it. @default false */
  readonly lineage?: boolean;
  /** Which partition a message goes to. @default 'hash' */
  readonly partitioner?: KafkaPartitioning<T>;
  /**
   * Replicas that have a message before it counts as written: `'all'` that are in sync, `1`: the leader's, which loses it if it dies then, or
   * `0`: nobody's; what the broker refuses is lost, too. @default 'all'
   */
  readonly acks?: 'all' | 1 | 0;
  /** @default - that of the cluster's configuration, else none */
  readonly compression?: NonNullable<TopicProduction['compression']>;
  /** Further tries of one request by the client, 0 to 100; then the batch comes again. @default 3 */
  readonly retries?: number;
  /**
   * Retries of a request write nothing twice; costs parallel requests. A batch that comes again still does: for that there is
   * `exactly-once`, which always is idempotent. @default false
   */
  readonly idempotent?: boolean;
  /**
   * Timestamps of messages. `event-time`: the record's, for a topic with `message.timestamp.type=CreateTime`; a record without one gets the
   * time of writing. `log-append`: the broker's, for a topic with `LogAppendTime`. `millrace dev` checks the topic. @default - the time of
   * writing, where the topic leaves it to the producer
   */
  readonly timestamps?: 'event-time' | 'log-append';
  /** Largest key, value and headers of a message, in bytes: at most what the topic takes. @default 1000000 */
  readonly maxMessageBytes?: number;
}

/** Kafka's usual limit is 1 MiB, with what goes around the message. */
const DEFAULT_MAX_MESSAGE_BYTES = 1_000_000;

/**
 * Writes to a Kafka topic, one message a record, at least once unless `delivery` says otherwise. Records of one task and partition keep their order. The topic must exist.
 *
 * @throws MILLRACE_OPTION_INVALID
 * @example kafka.sink({ topic: 'totals', value: json(), key: (total) => total.customer })
 */
export function kafkaSink<T>(options: KafkaSinkOptions<T>): Sink<T> {
  const topic = checkTopic(options.topic);
  checkCodec('kafka.sink()', options.value, 'encode');
  const slotOf = toPartitioner(options.partitioner ?? 'hash');
  const delivery = checkDelivery(options.delivery ?? 'at-least-once');
  const produces = checkProduction(options, delivery);
  const open = (context: SinkContext): SinkWriter<T> =>
    delivery === 'exactly-once' ? new ExactlyOnceWriter(options, slotOf, context) : new KafkaSinkWriter(options, slotOf, context);
  return Object.freeze({ kind: 'topic', topic, delivery, ...(Object.keys(produces).length > 0 && { produces }), open });
}

function checkDelivery(delivery: unknown): 'at-least-once' | 'exactly-once' {
  if (delivery === 'at-least-once' || delivery === 'exactly-once') return delivery;
  throw new MillraceError('MILLRACE_OPTION_INVALID', `delivery is ${JSON.stringify(delivery)}: give 'at-least-once' or 'exactly-once'`);
}

/** `slot` modulo the number of partitions is the partition; that number is not known while records are written. */
interface Kept {
  readonly slot: number;
  readonly origin: OutputOrigin;
  readonly message: OutgoingMessage;
}

class KafkaSinkWriter<T> implements SinkWriter<T> {
  private readonly options: KafkaSinkOptions<T>;
  private readonly channels: ChannelWriter;
  private readonly task: string;
  private readonly slotOf: KafkaPartitioner<T>;
  private partitions: number | undefined;
  private kept: Kept[] = [];

  constructor(options: KafkaSinkOptions<T>, slotOf: KafkaPartitioner<T>, { channels, task }: SinkContext) {
    this.options = options;
    this.slotOf = slotOf;
    this.channels = channels;
    this.task = task;
  }

  write(value: T, eventTime: number | undefined, origin: OutputOrigin): void {
    const { topic } = this.options;
    const given = this.options.key?.(value) ?? null;
    const key = given === null ? null : toBytes('key', given, topic);
    const headers = this.headersOf(value, origin);
    const timestamp = this.options.timestamps === 'event-time' ? toTimestamp(eventTime) : undefined;
    const message = {
      key,
      value: checkValue(this.options.value.encode(value), topic),
      ...(headers && { headers }),
      ...(timestamp !== undefined && { timestamp }),
    };
    this.checkSize(message);
    this.kept.push({ slot: this.slotOf(value, key, origin), origin, message });
  }

  private headersOf(value: T, origin: OutputOrigin): OutgoingMessage['headers'] {
    const headers = toHeaders(this.options.headers?.(value), this.options.topic);
    if (this.options.lineage !== true) return headers;
    return [...(headers ?? []), [ORIGIN_HEADER, Buffer.from(describeOrigin(this.task, origin))]]; // last: of equal names the last one counts
  }

  /** A message that the topic will not take fails its record, or it would block its partition for ever. */
  private checkSize({ key, value, headers = [] }: OutgoingMessage): void {
    const { topic, maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = this.options;
    let bytes = (key?.length ?? 0) + (value?.length ?? 0);
    for (const [name, header] of headers) bytes += name.length + header.length;
    if (bytes <= maxMessageBytes) return;
    throw new MillraceError(
      'MILLRACE_VALUE_TOO_LARGE',
      `a message of ${bytes} bytes for topic ${topic}; at most ${maxMessageBytes} are allowed. Write smaller records, or raise maxMessageBytes ` +
        "together with the topic's max.message.bytes",
    );
  }

  mark(): number {
    return this.kept.length;
  }

  reset(mark: number): void {
    this.kept.length = mark;
  }

  /** Partitions side by side, one append each. Waits for all of them even if one fails, so that nothing is under way when it is retried. */
  async flush(_isEnd?: boolean, onRefused?: (refused: RefusedOutput) => void): Promise<void> {
    const appends = await this.toAppends(0);
    const results = await Promise.allSettled(
      appends.map(({ topic, partition, messages, origins }) =>
        this.channels.append(
          topic,
          partition,
          messages,
          onRefused &&
            ((message, error) => {
              const origin = origins[messages.indexOf(message)];
              if (!origin) throw error;
              onRefused({ topic, partition, message, error, origin });
            }),
        ),
      ),
    );
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    this.reset(0);
  }

  /** What is kept of input from offset `from` on, one list a partition. */
  protected async toAppends(from: number): Promise<readonly Required<TopicAppend>[]> {
    const { kept } = this;
    if (kept.length === 0) return [];
    const { topic } = this.options;
    this.partitions ??= await this.channels.partitionCount(topic);
    const byPartition = new Map<number, { messages: OutgoingMessage[]; origins: OutputOrigin[] }>();
    for (const { slot, origin, message } of kept) {
      if (origin.offset < from) continue;
      const partition = slot % this.partitions;
      let list = byPartition.get(partition);
      if (!list) byPartition.set(partition, (list = { messages: [], origins: [] }));
      list.messages.push(message);
      list.origins.push(origin);
    }
    return [...byPartition].map(([partition, list]) => ({ topic, partition, ...list }));
  }
}

/** The same messages, for a transaction. */
class ExactlyOnceWriter<T> extends KafkaSinkWriter<T> {
  async take(from: number): Promise<readonly TopicAppend[]> {
    const appends = await this.toAppends(from);
    this.reset(0);
    return appends;
  }
}

/**
 * What no message can carry fails the record, or the broker would refuse its whole batch for ever. How far ahead or back a time may be, only
 * the topic knows: what that refuses becomes a dead letter when it is sent.
 */
function toTimestamp(eventTime: number | undefined): number | undefined {
  if (eventTime === undefined) return undefined;
  const timestamp = Math.trunc(eventTime);
  if (Number.isSafeInteger(timestamp) && timestamp >= 0) return timestamp;
  throw notEncodable(`event time ${eventTime} can't be a message's timestamp: with timestamps: 'event-time' give records times from 0 on`);
}

function toHeaders(headers: Readonly<Record<string, string | Uint8Array>> | undefined, topic: string): OutgoingMessage['headers'] {
  return headers && Object.entries(headers).map(([name, value]) => [name, toBytes(`header '${name}'`, value, topic)] as const);
}

/** Whatever a function of the user returned: what is no bytes later on would block the partition for ever. */
function toBytes(what: string, value: unknown, topic: string): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value);
  if (types.isUint8Array(value)) return value;
  const allowed = what === 'key' ? 'text, bytes or null' : 'text or bytes';
  throw notEncodable(`${what} of a message for topic ${topic} is ${describe(value)}: give ${allowed}, String(id) for instance`);
}

function checkValue(value: Uint8Array | null, topic: string): Uint8Array | null {
  if (value === null || types.isUint8Array(value)) return value;
  throw notEncodable(`what the codec of topic ${topic} encoded is ${describe(value)}: its encode() has to return bytes (a Uint8Array)`);
}

function notEncodable(message: string): MillraceError {
  return new MillraceError('MILLRACE_VALUE_NOT_ENCODABLE', message);
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  const name =
    typeof value === 'object' ? (Object.getPrototypeOf(value) as { constructor?: { name?: string } } | null)?.constructor?.name : '';
  return name ? `an instance of ${name}` : `of type ${typeof value}`;
}
