import type { Codec } from '../../codec/codec.ts';
import type { StartPosition, StopPosition } from '../../graph/stage-plan.ts';
import { readsTopic } from '../../graph/topic-patterns.ts';
import { MillraceError } from '../../shared/errors.ts';
import type { SourceMessage, TopicSource } from '../source.ts';
import { type ConsumerProperties, parseConsumerProperties } from './consumer-properties.ts';
import { checkCodec, checkTopic } from './options.ts';

export type KafkaSourceOptions<V> = {
  /** Decodes a message's value; a message that it refuses becomes a dead letter. */
  readonly value: Codec<V>;
  /**
   * Decodes a message's key. With it the records of the stream are `KafkaRecord`s: key and value, with headers and place. A key that it
   * refuses makes its message a dead letter. @default - records are values alone
   */
  readonly key?: Codec<unknown>;
  /**
   * Promise that equal keys (of the `keyBy` that follows) never stand in two partitions of the topic, so that this `keyBy` needs no hop.
   * Only for a single topic. A broken promise splits the state of a key over two tasks; `millrace dev` ends with
   * MILLRACE_KEY_IN_TWO_PARTITIONS where it sees one. @default false
   */
  readonly keyedByRecordKey?: boolean;
  /** Where reading begins, once. @default 'earliest' */
  readonly start?: StartPosition;
  /**
   * Makes the source bounded: it ends here. What that is in each partition is fixed once, at the first start of the pipeline; what is written later is not
   * read. `'latest'`: at the end that the topic has then. @default - never
   */
  readonly bounded?: StopPosition;
  /**
   * Consumer group that the topics are read as: 1 to 200 characters. Several copies of a pipeline that name the same one share its
   * offsets. @default - `<namespace>.<pipeline>.<uid>`
   */
  readonly group?: string;
  /** Consumer properties under their names in Kafka's Java client, those that an event source mapping has: see the reference. */
  readonly properties?: ConsumerProperties;
} & (
  | { readonly topic: string; readonly topics?: never; readonly pattern?: never }
  | { readonly topic?: never; readonly topics: readonly string[]; readonly pattern?: never }
  /** Matches the whole names of topics. They are looked up at the start; one that comes later is read from the next start on. */
  | { readonly topic?: never; readonly topics?: never; readonly pattern: RegExp | string }
);

/** A message with its key and its place, as a source with a `key` gives it. */
export interface KafkaRecord<K, V> {
  /** Null where the message has none. */
  readonly key: K | null;
  readonly value: V;
  /** In the order in which they stand in the message; `new Map(headers)` has the last of each name. */
  readonly headers: readonly (readonly [name: string, value: Uint8Array])[];
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The message's, in ms. */
  readonly timestamp: number;
}

/**
 * Reads one or several Kafka topics. Its stage has one task for each partition; records of one partition stay in order. Messages without a
 * value (tombstones) are counted and dropped.
 *
 * @throws MILLRACE_OPTION_INVALID
 * @example kafka.source({ topic: 'orders', value: json(Order) })
 */
export function kafkaSource<V, K>(options: KafkaSourceOptions<V> & { readonly key: Codec<K> }): TopicSource<KafkaRecord<K, V>>;
export function kafkaSource<V>(options: KafkaSourceOptions<V>): TopicSource<V>;
export function kafkaSource<V>(options: KafkaSourceOptions<V>): TopicSource<unknown> {
  const { value, key, keyedByRecordKey = false } = options;
  const { topics, pattern } = topicsOf(options);
  checkCodec('kafka.source()', value, 'decode');
  if (key !== undefined) checkCodec('key of kafka.source()', key, 'decode');
  if (keyedByRecordKey && (pattern !== undefined || topics.length > 1)) throw severalTopics();
  const properties = parseConsumerProperties(options.properties);
  const start = once('start', options.start, 'auto.offset.reset', properties.start) ?? 'earliest';
  checkPosition('start', start, topics, pattern);
  const { bounded: stop } = options;
  if (stop !== undefined) checkPosition('bounded', stop, topics, pattern);
  const group = once('group', options.group, 'group.id', properties.group);
  if (group !== undefined) checkGroup(group);
  const { batchSize, batchWindowMs } = properties;
  return Object.freeze({
    kind: 'topic',
    topics: Object.freeze(topics),
    ...(pattern !== undefined && { pattern }),
    value,
    ...(key !== undefined && { key }),
    decode: key === undefined ? valueDecoder(value) : recordDecoder(key, value),
    keyedByRecordKey,
    start,
    ...(stop !== undefined && { stop }),
    ...(group !== undefined && { group }),
    ...(batchSize !== undefined && { batchSize }),
    ...(batchWindowMs !== undefined && { batchWindowMs }),
  });
}

const NO_BYTES = new Uint8Array();

function valueDecoder<V>(codec: Codec<V>): (message: SourceMessage) => V {
  return ({ value }) => codec.decode(value ?? NO_BYTES);
}

function recordDecoder<K, V>(keys: Codec<K>, values: Codec<V>): TopicSource<KafkaRecord<K, V>>['decode'] {
  return ({ key, value, headers, offset, time }, { topic, partition }) => ({
    key: key && keys.decode(key),
    value: values.decode(value ?? NO_BYTES),
    headers,
    topic,
    partition,
    offset,
    timestamp: time,
  });
}

function topicsOf({ topic, topics, pattern }: Pick<KafkaSourceOptions<unknown>, 'topic' | 'topics' | 'pattern'>): {
  readonly topics: readonly string[];
  readonly pattern?: RegExp;
} {
  if ([topic, topics, pattern].filter((given) => given !== undefined).length > 1)
    throw new MillraceError('MILLRACE_OPTION_INVALID', 'kafka.source() was given several of topic, topics and pattern: give one of them');
  if (pattern !== undefined) return { topics: [], pattern: toPattern(pattern) };
  const named = (topics ?? [topic]).map(checkTopic);
  if (named.length > 0 && new Set(named).size === named.length) return { topics: named };
  throw new MillraceError(
    'MILLRACE_OPTION_INVALID',
    `kafka.source() was given topics [${named.join(', ')}]: give each topic once, at least one`,
  );
}

/** Without the flags that make an expression remember where it was. */
function toPattern(pattern: unknown): RegExp {
  const [source, flags] = pattern instanceof RegExp ? [pattern.source, pattern.flags.replace(/[gy]/g, '')] : [pattern, ''];
  try {
    if (typeof source === 'string' && source !== '') return new RegExp(source, flags);
  } catch {
    // Told below.
  }
  throw new MillraceError(
    'MILLRACE_OPTION_INVALID',
    `pattern is ${String(pattern)}: give a regular expression, /orders-.*/ or 'orders-.*'`,
  );
}

function severalTopics(): MillraceError {
  return new MillraceError(
    'MILLRACE_OPTION_INVALID',
    'keyedByRecordKey is for a single topic: partitions of different topics may hold the same keys. Give one topic, or leave it out',
  );
}

/** An option that also has the name of a consumer property. */
function once<T>(option: string, given: T | undefined, property: string, alsoGiven: T | undefined): T | undefined {
  if (given === undefined || alsoGiven === undefined) return given ?? alsoGiven;
  throw new MillraceError('MILLRACE_OPTION_INVALID', `kafka.source() has both ${option} and the property '${property}': give one of them`);
}

/** Lambda's rule for the consumer group of a mapping. */
const GROUP = /^[\w\-/*:+=.@]{1,200}$/;

function checkGroup(group: unknown): void {
  if (typeof group === 'string' && GROUP.test(group)) return;
  throw new MillraceError(
    'MILLRACE_OPTION_INVALID',
    `group is ${JSON.stringify(group)}: give 1 to 200 of a-z, A-Z, 0-9 and - _ / * : + = . @`,
  );
}

function checkPosition(option: 'start' | 'bounded', position: unknown, topics: readonly string[], pattern: RegExp | undefined): void {
  if ((position === 'earliest' && option === 'start') || position === 'latest') return;
  const { timestamp, offsets } = (position ?? {}) as { readonly timestamp?: unknown; readonly offsets?: unknown };
  const reads = (topic: string): boolean => readsTopic({ kind: 'topic', topics, ...(pattern && { pattern }) }, topic);
  if (offsets === undefined ? isWhole(timestamp) : timestamp === undefined && areOffsets(offsets, reads)) return;
  throw new MillraceError(
    'MILLRACE_OPTION_INVALID',
    `${option} is ${JSON.stringify(position)}: give ${option === 'start' ? "'earliest', " : ''}'latest', { timestamp: ms } or { offsets: { topic: { partition: offset } } } with ` +
      `topics of ${pattern === undefined ? topics.join(', ') : String(pattern)}`,
  );
}

function areOffsets(offsets: unknown, reads: (topic: string) => boolean): boolean {
  if (typeof offsets !== 'object' || offsets === null) return false;
  return Object.entries(offsets).every(
    ([topic, partitions]: [string, unknown]) =>
      reads(topic) &&
      typeof partitions === 'object' &&
      partitions !== null &&
      Object.entries(partitions).every(([partition, offset]) => isWhole(Number(partition)) && isWhole(offset)),
  );
}

function isWhole(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
