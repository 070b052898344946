import type { ChannelWriter, OutgoingMessage } from '../../channels/channel-writer.ts';
import type { Codec } from '../../codec/codec.ts';
import { MillraceError } from '../../shared/errors.ts';
import type { OutputOrigin, Sink, SinkContext, SinkWriter } from '../sink.ts';
import { murmur2 } from './murmur2.ts';
import { checkCodec, checkTopic } from './options.ts';

/**
 * Chooses a partition: a whole number from 0, taken modulo the number of partitions. Pure, as a batch that is run again must choose
 * the same.
 */
export type KafkaPartitioner<T> = (value: T, key: Uint8Array | null, origin: OutputOrigin) => number;

export interface KafkaSinkOptions<T> {
  readonly topic: string;
  readonly value: Codec<T>;
  /** Key of the message: text as UTF-8, or bytes. Pure. @default no key */
  readonly key?: (value: T) => string | Uint8Array | null;
  /**
   * `hash`: by the key, as Kafka's Java clients do (murmur2); without a key as `round-robin`. `round-robin`: spread by origin.
   * @default 'hash'
   */
  readonly partitioner?: 'hash' | 'round-robin' | KafkaPartitioner<T>;
  /** Largest key and value of a message, in bytes: at most what the topic takes. @default 1000000 */
  readonly maxMessageBytes?: number;
}

/** Kafka's usual limit is 1 MiB, with what goes around the message. */
const DEFAULT_MAX_MESSAGE_BYTES = 1_000_000;

/**
 * Writes to a Kafka topic, one message a record, at least once. Records of one task and partition keep their order. The topic must exist.
 *
 * @throws MILLRACE_OPTION_INVALID
 * @example kafka.sink({ topic: 'totals', value: json(), key: (total) => total.customer })
 */
export function kafkaSink<T>(options: KafkaSinkOptions<T>): Sink<T> {
  const topic = checkTopic(options.topic);
  checkCodec('kafka.sink()', options.value, 'encode');
  checkPartitioner(options.partitioner);
  return Object.freeze({ kind: 'topic', topic, open: ({ channels }: SinkContext) => new KafkaSinkWriter(options, channels) });
}

function checkPartitioner(partitioner: unknown): void {
  if (partitioner === undefined || partitioner === 'hash' || partitioner === 'round-robin' || typeof partitioner === 'function') return;
  throw new MillraceError(
    'MILLRACE_OPTION_INVALID',
    `partitioner is ${JSON.stringify(partitioner)}: give 'hash', 'round-robin' or a function (value, key, origin) => number`,
  );
}

/** `slot` modulo the number of partitions is the partition; that number is not known while records are written. */
interface Kept {
  readonly slot: number;
  readonly message: OutgoingMessage;
}

class KafkaSinkWriter<T> implements SinkWriter<T> {
  private readonly options: KafkaSinkOptions<T>;
  private readonly channels: ChannelWriter;
  private readonly slotOf: KafkaPartitioner<T>;
  private partitions: number | undefined;
  private kept: Kept[] = [];

  constructor(options: KafkaSinkOptions<T>, channels: ChannelWriter) {
    this.options = options;
    this.channels = channels;
    this.slotOf = toPartitioner(options.partitioner ?? 'hash');
  }

  write(value: T, _timestamp: number | undefined, origin: OutputOrigin): void {
    const key = toBytes(this.options.key?.(value) ?? null);
    const message = { key, value: this.options.value.encode(value) };
    this.checkSize(message);
    this.kept.push({ slot: this.slotOf(value, key, origin), message });
  }

  /** A message that the topic will not take fails its record, or it would block its partition for ever. */
  private checkSize({ key, value }: OutgoingMessage): void {
    const { topic, maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = this.options;
    const bytes = (key?.length ?? 0) + (value?.length ?? 0);
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
  async flush(): Promise<void> {
    if (this.kept.length === 0) return;
    const { topic } = this.options;
    this.partitions ??= await this.channels.partitionCount(topic);
    const batches = byPartition(this.kept, this.partitions);
    const results = await Promise.allSettled(batches.map(([partition, messages]) => this.channels.append(topic, partition, messages)));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    this.kept = [];
  }
}

function byPartition(kept: readonly Kept[], partitions: number): readonly (readonly [number, OutgoingMessage[]])[] {
  const batches = new Map<number, OutgoingMessage[]>();
  for (const { slot, message } of kept) {
    const partition = slot % partitions;
    const batch = batches.get(partition);
    if (batch === undefined) batches.set(partition, [message]);
    else batch.push(message);
  }
  return [...batches];
}

function toPartitioner<T>(partitioner: 'hash' | 'round-robin' | KafkaPartitioner<T>): KafkaPartitioner<T> {
  if (partitioner === 'hash') return (_value, key, origin) => (key === null ? spread(origin) : murmur2(key) & 0x7fffffff);
  if (partitioner === 'round-robin') return (_value, _key, origin) => spread(origin);
  return (value, key, origin) => {
    const slot = partitioner(value, key, origin);
    if (Number.isSafeInteger(slot) && slot >= 0) return slot;
    throw new MillraceError('MILLRACE_USER_FUNCTION', `a partitioner returned ${String(slot)}: return a whole number from 0`);
  };
}

/** By origin, never by a counter in memory: a replayed record goes to the same partition. */
function spread({ offset, ordinal, emission }: OutputOrigin): number {
  return offset + ordinal + emission;
}

function toBytes(key: string | Uint8Array | null): Uint8Array | null {
  return typeof key === 'string' ? Buffer.from(key) : key;
}
