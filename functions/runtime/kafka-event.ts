import { MillraceError } from '../shared/errors.ts';
import type { KafkaEventRecord } from './lambda.ts';

/**
 * One message of an input partition. Its payload stays base64 until it is asked for, and is decoded anew each time: a batch of thousands
 * would otherwise keep as many buffers alive.
 */
export interface InputMessage {
  readonly offset: number;
  /** The message's timestamp in ms. */
  readonly time: number;
  /** True where the broker set the timestamp when it appended: only then may it serve as log time. */
  readonly isLogTime: boolean;
  /** Null for a tombstone. */
  readonly value: Uint8Array | null;
  readonly key: Uint8Array | null;
  /** True where `value` is not null. */
  readonly hasValue: boolean;
  /** Length of the value in bytes, to within two. */
  readonly size: number;
  /** Read anew each time, like the payload. */
  readonly headers: readonly (readonly [name: string, value: Uint8Array])[];
  /** The same, but for what is none, or Millrace's own: for a dead letter, which shall not fail for what is wrong with them. */
  readonly keptHeaders: InputMessage['headers'];
  /** Set where a dead letter was appended to its topic again. */
  readonly replay: Replay | undefined;
  /** True for the end of a bounded partition: no message, the offset behind the last one. */
  readonly end: boolean;
}

/** For whom a message comes back, and what it was: the header of a dead letter that is appended to its topic again. */
export interface Replay {
  /** Consumer group of the stage that it is a dead letter of: for all others it is a copy. */
  readonly group: string;
  /** Timestamp that the message had, in ms. */
  readonly time: number;
  readonly origin: string;
}

export const REPLAY_HEADER = 'millrace-replay';

class EventMessage implements InputMessage {
  readonly offset: number;
  readonly time: number;
  readonly isLogTime: boolean;
  readonly end = false;
  private readonly encodedKey: string | null;
  private readonly encodedValue: string | null;
  private readonly encodedHeaders: unknown;

  constructor(offset: number, time: number, isLogTime: boolean, key: string | null, value: string | null, headers: unknown) {
    this.offset = offset;
    this.time = time;
    this.isLogTime = isLogTime;
    this.encodedKey = key;
    this.encodedValue = value;
    this.encodedHeaders = headers;
  }

  get value(): Uint8Array | null {
    return this.encodedValue === null ? null : Buffer.from(this.encodedValue, 'base64');
  }

  get key(): Uint8Array | null {
    return this.encodedKey === null ? null : Buffer.from(this.encodedKey, 'base64');
  }

  get keptHeaders(): InputMessage['headers'] {
    const { encodedHeaders } = this;
    const list: unknown[] = Array.isArray(encodedHeaders) ? encodedHeaders : [encodedHeaders];
    return list
      .flatMap((header) => (isObject(header) ? Object.entries(header) : []))
      .flatMap(([name, bytes]) => (name !== REPLAY_HEADER && areBytes(bytes) ? [[name, Uint8Array.from(bytes)] as const] : []));
  }

  get headers(): InputMessage['headers'] {
    return allHeaders(this.encodedHeaders);
  }

  get replay(): Replay | undefined {
    const { encodedHeaders } = this;
    return Array.isArray(encodedHeaders) && encodedHeaders.length > 0 ? parseReplay(encodedHeaders) : undefined;
  }

  get hasValue(): boolean {
    return this.encodedValue !== null;
  }

  get size(): number {
    return this.encodedValue === null ? 0 : Math.floor((this.encodedValue.length * 3) / 4);
  }
}

/** One object a header, of its name and its bytes. @throws MILLRACE_DECODE_FAILED for anything else, so that only its record fails */
function allHeaders(headers: unknown): InputMessage['headers'] {
  if (headers === undefined || headers === null) return [];
  const list: unknown[] = Array.isArray(headers) ? headers : [headers];
  return list.flatMap((header) => {
    if (!isObject(header))
      throw new MillraceError('MILLRACE_DECODE_FAILED', `a header of the message is ${describe(header)}, not an object`);
    return Object.entries(header).map(([name, bytes]) => {
      if (areBytes(bytes)) return [name, Uint8Array.from(bytes)] as const;
      throw new MillraceError('MILLRACE_DECODE_FAILED', `header '${name}' of the message is ${describe(bytes)}, not a list of bytes`);
    });
  });
}

/** Signed or unsigned: the low eight bits are the same. */
function areBytes(bytes: unknown): bytes is number[] {
  return Array.isArray(bytes) && bytes.every(Number.isInteger);
}

/** What Millrace did not write is not taken for a replay, but for a header of somebody else. */
function parseReplay(headers: readonly unknown[]): Replay | undefined {
  for (const header of headers) {
    const bytes = isObject(header) ? header[REPLAY_HEADER] : undefined;
    if (!Array.isArray(bytes)) continue;
    try {
      const [group, time, origin] = JSON.parse(Buffer.from(bytes as number[]).toString()) as unknown[];
      if (typeof group === 'string' && Number.isSafeInteger(time) && typeof origin === 'string')
        return { group, time: time as number, origin };
    } catch {
      // No JSON, or no list.
    }
  }
  return undefined;
}

/** Inverse of how `replay` is read. */
export function replayHeader({ group, time, origin }: Replay): readonly [name: string, value: Uint8Array] {
  return [REPLAY_HEADER, Buffer.from(JSON.stringify([group, time, origin]))];
}

/** The time at which the broker appended the message; 0 where it carries a producer's time, which goes back and forth. */
export function logTime({ isLogTime, time }: InputMessage): number {
  return isLogTime ? time : 0;
}

/** The messages of one partition, in order. */
export interface InputBatch {
  readonly topic: string;
  readonly partition: number;
  readonly messages: readonly InputMessage[];
}

const EVENT_SOURCES: ReadonlySet<unknown> = new Set(['aws:kafka', 'SelfManagedKafka', 'aws:SelfManagedKafka']);

/**
 * Takes Lambda's Kafka event, or Millrace's end of input, apart by partition.
 *
 * @param generation - the plan's; an end of another generation is refused.
 * @throws MILLRACE_EVENT_FOREIGN, MILLRACE_EVENT_INVALID, MILLRACE_GENERATION_REFUSED
 */
export function parseEvent(event: unknown, generation: number): InputBatch[] {
  if (!isObject(event)) throw invalid(`the event is ${describe(event)}, not an object`);
  if (event['eventSource'] === 'millrace:end') return parseEnd(event, generation);
  if (!EVENT_SOURCES.has(event['eventSource'])) throw foreign(event);
  const { records } = event;
  if (!isObject(records)) throw invalid(`"records" is ${describe(records)}, not an object of topic-partition lists`);
  const batches: InputBatch[] = [];
  for (const [name, list] of Object.entries(records)) {
    if (!Array.isArray(list)) throw invalid(`records["${name}"] is ${describe(list)}, not a list`);
    if (list.length > 0) batches.push(parsePartition(name, list));
  }
  return batches;
}

function parsePartition(name: string, list: readonly unknown[]): InputBatch {
  const messages: InputMessage[] = [];
  let last = -1;
  const { topic, partition: given } = recordAt(name, list[0]);
  // An AWS sample has the partition as a string.
  const partition = typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : given;
  if (typeof topic !== 'string' || !isOffset(partition))
    throw invalid(`records["${name}"] has topic ${describe(topic)} and partition ${describe(given)}`);
  for (const item of list) {
    const record = recordAt(name, item);
    const message = parseMessage(name, record);
    if (record.topic !== topic || record.partition !== given)
      throw invalid(
        `records["${name}"] offset ${message.offset} is of topic ${describe(record.topic)} and partition ${describe(record.partition)}`,
      );
    if (message.offset <= last)
      throw invalid(`records["${name}"] has offset ${message.offset} behind ${last}; offsets rise within a partition`);
    last = message.offset;
    messages.push(message);
  }
  return { topic, partition, messages };
}

/** The record with fields that have not been looked at. */
function recordAt(name: string, record: unknown): Unchecked {
  if (!isObject(record)) throw invalid(`records["${name}"] holds ${describe(record)}, not a record`);
  return record;
}

type Unchecked = Readonly<Partial<Record<keyof KafkaEventRecord, unknown>>>;

function parseMessage(name: string, { offset, timestamp, timestampType, key, value, headers }: Unchecked): InputMessage {
  if (!isOffset(offset)) throw invalid(`records["${name}"] has offset ${describe(offset)}; an integer from 0 is allowed`);
  if (!Number.isSafeInteger(timestamp))
    throw invalid(`records["${name}"] offset ${offset} has timestamp ${describe(timestamp)}, not a number of ms`);
  const isLogTime = timestampType === 'LOG_APPEND_TIME';
  return new EventMessage(offset, timestamp as number, isLogTime, base64Text(name, offset, key), base64Text(name, offset, value), headers);
}

function base64Text(name: string, offset: number, text: unknown): string | null {
  if (text === null || text === undefined) return null;
  if (typeof text !== 'string') throw invalid(`records["${name}"] offset ${offset} has ${describe(text)} where base64 text is expected`);
  return text;
}

function parseEnd(event: Record<string, unknown>, generation: number): InputBatch[] {
  if (event['generation'] !== generation) {
    throw new MillraceError(
      'MILLRACE_GENERATION_REFUSED',
      `end of input of generation ${describe(event['generation'])}, but this function runs generation ${generation}; stop the clock of the old deployment`,
    );
  }
  const { partitions } = event;
  if (!Array.isArray(partitions)) throw invalid(`"partitions" is ${describe(partitions)}, not a list`);
  return partitions.map((end: unknown) => {
    const { topic, partition, offset } = isObject(end) ? end : NO_FIELDS;
    if (typeof topic !== 'string' || !isOffset(partition) || !isOffset(offset)) throw invalid('an end names topic, partition and offset');
    return {
      topic,
      partition,
      messages: [
        {
          offset,
          time: 0,
          isLogTime: false,
          value: null,
          key: null,
          hasValue: false,
          size: 0,
          headers: [],
          keptHeaders: [],
          replay: undefined,
          end: true,
        },
      ],
    };
  });
}

const NO_FIELDS: Record<string, unknown> = {};

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function foreign(event: Record<string, unknown>): MillraceError {
  const [record] = Array.isArray(event['Records']) ? (event['Records'] as unknown[]) : [];
  const source =
    event['eventSource'] ?? (isObject(record) ? (record['eventSource'] ?? record['EventSource']) : undefined) ?? event['source'];
  return new MillraceError(
    'MILLRACE_EVENT_FOREIGN',
    `the event ${source === undefined ? 'has no eventSource' : `comes from ${describe(source)}`}; a stage takes events of a Kafka event source mapping (aws:kafka or SelfManagedKafka). Check which trigger is attached to this function`,
  );
}

function invalid(message: string): MillraceError {
  return new MillraceError('MILLRACE_EVENT_INVALID', `not a Kafka event: ${message}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const scalar = value as string | number | boolean | null;
  const text = typeof scalar === 'string' ? `'${scalar}'` : String(scalar);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
