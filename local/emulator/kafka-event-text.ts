import type { OutgoingMessage } from '../../functions/channels/channel-writer.ts';
import { readMessage } from '../../functions/channels/embedded/message-layout.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import type { Segment } from '../log/segment.ts';

/** What one event holds of one partition: offsets from `from` up to, not including, `to`. */
export interface EventPart {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
  /** Records, which are fewer than the offsets where the log has gaps. */
  readonly records: number;
  /** Bytes in the log. */
  readonly bytes: number;
  /** Log append times of the first and the last record. */
  readonly firstTime: number;
  readonly lastTime: number;
  /** Tenure of the partition under which it was read; it ends when another member of the group gets the partition. */
  readonly tenure: number;
}

/** A message as a Kafka client gives it. */
export interface EventMessage extends Required<OutgoingMessage> {
  readonly offset: number;
  readonly timestamp: number;
  readonly timestampType: 'LOG_APPEND_TIME' | 'CREATE_TIME';
  /** Of key, value and headers. */
  readonly bytes: number;
}

/**
 * The event of a self-managed Kafka mapping, built as JSON text: the records' fields are spliced between fixed pieces, without an
 * object a record. All of it is ASCII, so its length is its size in bytes.
 */
export class KafkaEventText {
  readonly parts: EventPart[] = [];
  private readonly maxBytes: number;
  private text: string;
  private records = 0;

  constructor(bootstrapServers: string, maxBytes: number) {
    this.maxBytes = maxBytes;
    this.text = `{"eventSource":"SelfManagedKafka","bootstrapServers":${JSON.stringify(bootstrapServers)},"records":{`;
  }

  get recordCount(): number {
    return this.records;
  }

  /** Adds records of `log` from the offset `from` on while they fit; the first record of an event always does. */
  add(log: PartitionLog, from: number, maxRecords: number): void {
    const first = Math.max(from, log.startOffset);
    const end = Math.min(log.endOffset, first + maxRecords);
    const before = this.records;
    let offset = first;
    let bytes = 0;
    const head = recordHead(log);
    let separator = this.opening(log);
    while (offset < end) {
      const segment = log.segmentAt(offset);
      const index = offset - segment.baseOffset;
      const last = Math.min(segment.count, end - segment.baseOffset);
      const reached = this.addRecords(segment, index, last, head, separator);
      bytes += segment.position(reached) - segment.position(index);
      offset = segment.baseOffset + reached;
      if (reached > index) separator = ',';
      if (reached < last) break;
    }
    if (this.records === before) return;
    this.text += ']';
    this.parts.push({
      topic: log.topic,
      partition: log.partition,
      from: first,
      to: offset,
      records: this.records - before,
      bytes,
      firstTime: log.timeOf(first),
      lastTime: log.timeOf(offset - 1),
      tenure: 0,
    });
  }

  /** Adds `messages` of one partition, in order, from the one with index `start` on, while they fit; as `add`. */
  addMessages(
    source: Pick<EventPart, 'topic' | 'partition' | 'tenure'>,
    messages: readonly EventMessage[],
    start: number,
    maxRecords: number,
  ): void {
    const room = this.maxBytes - 3;
    const end = Math.min(messages.length, start + maxRecords);
    const head = recordHead(source);
    let separator = this.opening(source);
    let [index, bytes] = [start, 0];
    for (; index < end; index++) {
      const message = messages[index] as EventMessage;
      const record = `${separator}${head}${messageText(message)}`;
      if (this.text.length + record.length > room && this.records > 0) break;
      this.text += record;
      separator = ',';
      this.records++;
      bytes += message.bytes;
    }
    const [first, last] = [messages[start], messages[index - 1]];
    if (index === start || !first || !last) return;
    this.text += ']';
    const { topic, partition, tenure } = source;
    const times = { firstTime: first.timestamp, lastTime: last.timestamp };
    this.parts.push({ topic, partition, tenure, from: first.offset, to: last.offset + 1, records: index - start, bytes, ...times });
  }

  toString(): string {
    return `${this.text}}}`;
  }

  /** What begins the list of a partition. */
  private opening({ topic, partition }: Pick<EventPart, 'topic' | 'partition'>): string {
    return `${this.parts.length > 0 ? ',' : ''}"${topic}-${partition}":[`;
  }

  /** Adds the records `index` to `last` − 1 of a segment while they fit; returns the first that is not in. */
  private addRecords(segment: Segment, index: number, last: number, head: string, separator: string): number {
    const { bytes, positions, times, baseOffset } = segment;
    // Room for the brackets that close the event.
    const room = this.maxBytes - 3;
    let text = this.text;
    let [time, timeText] = [NaN, ''];
    for (; index < last; index++) {
      const at = positions[index] as number;
      const now = times[index] as number;
      if (now !== time) [time, timeText] = [now, `,"timestamp":${now},"timestampType":"LOG_APPEND_TIME"`];
      const record = `${separator}${head}${baseOffset + index}${timeText}${fieldsText(bytes, at)}`;
      if (text.length + record.length > room && this.records > 0) break;
      text += record;
      separator = ',';
      this.records++;
    }
    this.text = text;
    return index;
  }
}

function recordHead({ topic, partition }: Pick<EventPart, 'topic' | 'partition'>): string {
  return `{"topic":"${topic}","partition":${partition},"offset":`;
}

/** A record from its offset on. */
function messageText({ offset, timestamp, timestampType, key, value, headers }: EventMessage): string {
  const keyText = key ? `,"key":"${base64(key)}"` : '';
  const valueText = value ? `"${base64(value)}"` : 'null';
  const listText = headers.length === 0 ? '' : headerList(headers);
  return `${offset},"timestamp":${timestamp},"timestampType":"${timestampType}"${keyText},"value":${valueText},"headers":[${listText}]}`;
}

function base64({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

/** Key, value and headers of the message at `at`, with the bracket that closes the record. */
function fieldsText(bytes: Buffer, at: number): string {
  const keyLength = bytes.readInt32LE(at);
  const valueAt = at + 8 + (keyLength > 0 ? keyLength : 0);
  const valueLength = bytes.readInt32LE(valueAt - 4);
  const headersAt = valueAt + (valueLength > 0 ? valueLength : 0);
  const key = keyLength < 0 ? '' : `,"key":"${bytes.toString('base64', at + 4, at + 4 + keyLength)}"`;
  const value = valueLength < 0 ? 'null' : `"${bytes.toString('base64', valueAt, headersAt)}"`;
  const headers = bytes.readUInt16LE(headersAt) === 0 ? '' : headerList(readMessage(bytes, at).headers);
  return `${key},"value":${value},"headers":[${headers}]}`;
}

/** Headers as AWS writes them: an object each, bytes as numbers. */
function headerList(headers: EventMessage['headers']): string {
  return headers.map(([name, value]) => `{${asciiJson(name)}:[${value.join(',')}]}`).join(',');
}

function asciiJson(text: string): string {
  return JSON.stringify(text).replace(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
