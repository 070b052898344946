import { messageEnd, readMessage } from '../../functions/channels/embedded/message-layout.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import type { EventRecords } from './event-records.ts';
import { type PackedEvent, type PackedPartition, PLACE_BYTES } from './packed-event.ts';

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

/** Room that an event begins with, where none is left of an earlier one. */
const FIRST_BYTES = 1 << 16;

/** Room of events that are over: new memory would be cleared, page by page, for every event. */
const spare: Buffer<SharedArrayBuffer>[] = [];
const MAX_SPARE = 8;

/** The event of a self-managed Kafka mapping, which holds as many records as fit into its JSON. */
export class KafkaEventBuilder {
  readonly parts: EventPart[] = [];
  private readonly bootstrapServers: string;
  private readonly maxBytes: number;
  private readonly partitions: PackedPartition[] = [];
  private bytes = spare.pop() ?? shared(FIRST_BYTES);
  /** Of `bytes`. */
  private used = 0;
  /** Length of the event's JSON, all of it ASCII, without the brackets that close it. */
  private jsonBytes: number;
  private records = 0;
  /** Of the last record, and the length of its text: records beside each other often have the same. */
  private time = NaN;
  private timeBytes = 0;

  /** @param maxBytes - Of the JSON, but for an event of one record. */
  constructor(bootstrapServers: string, maxBytes: number) {
    this.bootstrapServers = bootstrapServers;
    this.maxBytes = maxBytes;
    this.jsonBytes = `{"eventSource":"SelfManagedKafka","bootstrapServers":${JSON.stringify(bootstrapServers)},"records":{`.length;
  }

  get recordCount(): number {
    return this.records;
  }

  /** Adds records of `log` from the offset `from` on while they fit; the first record of an event always does. */
  add(log: PartitionLog, from: number, maxRecords: number): void {
    const start = Math.max(from, log.startOffset);
    const end = Math.min(log.endOffset, start + maxRecords);
    const list = this.listOf(log);
    let [offset, bytes, isFull] = [start, 0, false];
    while (offset < end && !isFull) {
      const segment = log.segmentAt(offset);
      const { baseOffset } = segment;
      const first = offset - baseOffset;
      const last = Math.min(segment.count, end - baseOffset);
      let index = first;
      for (; index < last; index++) {
        const at = segment.position(index);
        const length = messageEnd(segment.bytes, at) - at;
        const target = this.roomFor(length);
        segment.bytes.copy(this.bytes, target, at, at + length);
        isFull = !this.keep(list, baseOffset + index, segment.times[index] as number, true, length);
        if (isFull) break;
      }
      bytes += segment.position(index) - segment.position(first);
      offset = baseOffset + index;
    }
    if (list.count === 0) return;
    const [firstTime, lastTime] = [log.timeOf(start), log.timeOf(offset - 1)];
    this.close(list, { from: start, to: offset, bytes, firstTime, lastTime, tenure: 0 });
  }

  /** Adds records of one partition while they fit, from each list those from index `from` on; as `add`. */
  addRecords(
    source: Pick<EventPart, 'topic' | 'partition' | 'tenure'>,
    lists: Iterable<{ readonly records: EventRecords; readonly from: number; readonly count?: number }>,
    maxRecords: number,
  ): void {
    const list = this.listOf(source);
    const added = { from: 0, to: 0, bytes: 0, firstTime: 0, lastTime: 0, tenure: source.tenure };
    for (const { records, from, count = records.count } of lists) {
      for (let i = from; i < count; i++) {
        if (list.count >= maxRecords) break;
        const at = this.roomFor(records.roomAt(i));
        const length = records.writeMessage(i, this.bytes, at) - at;
        const [offset, time] = [records.offsetAt(i), records.timeAt(i)];
        if (!this.keep(list, offset, time, records.isLogTime(i), length)) {
          this.close(list, added);
          return;
        }
        if (list.count === 1) [added.from, added.firstTime] = [offset, time];
        [added.to, added.lastTime] = [offset + 1, time];
        added.bytes += records.bytesAt(i);
      }
    }
    this.close(list, added);
  }

  /** The event. Nothing can be added afterwards, and what holds it may be used again after `release`. */
  event(): PackedEvent {
    const { bootstrapServers, partitions, bytes, used } = this;
    return { bootstrapServers, partitions, bytes: bytes.subarray(0, used) };
  }

  /** No environment reads the event any more. */
  release(): void {
    if (spare.length < MAX_SPARE) spare.push(this.bytes);
    this.bytes = NO_BYTES;
  }

  private listOf({ topic, partition }: Pick<EventPart, 'topic' | 'partition'>): List {
    const opening = `${this.parts.length > 0 ? ',' : ''}"${topic}-${partition}":[]`.length;
    return { topic, partition, count: 0, opening, recordBytes: `{"topic":"${topic}","partition":${partition},"offset":}`.length };
  }

  /** Where a message of up to `bytes` can be written, behind its place. */
  private roomFor(bytes: number): number {
    const end = this.used + PLACE_BYTES + bytes;
    if (end > this.bytes.length) {
      const larger = shared(Math.max(end, 2 * this.bytes.length));
      this.bytes.copy(larger, 0, 0, this.used);
      this.bytes = larger;
    }
    return this.used + PLACE_BYTES;
  }

  /** Takes the message that was written into `roomFor`; false if it does not fit into the event any more. */
  private keep(list: List, offset: number, time: number, isLogTime: boolean, length: number): boolean {
    const { bytes, used } = this;
    if (time !== this.time) [this.time, this.timeBytes] = [time, String(time).length];
    const before = list.count === 0 ? list.opening : 1;
    const type = isLogTime ? LOG_TIME_BYTES : CREATE_TIME_BYTES;
    const json = before + list.recordBytes + String(offset).length + this.timeBytes + type + jsonBytesOf(bytes, used + PLACE_BYTES);
    if (this.jsonBytes + json > this.maxBytes - CLOSING_BYTES && this.records > 0) return false;
    bytes.writeDoubleLE(offset, used);
    bytes.writeDoubleLE(time, used + 8);
    bytes[used + 16] = isLogTime ? 1 : 0;
    this.used = used + PLACE_BYTES + length;
    this.jsonBytes += json;
    this.records++;
    list.count++;
    return true;
  }

  private close({ topic, partition, count }: List, added: Omit<EventPart, 'topic' | 'partition' | 'records'>): void {
    if (count === 0) return;
    this.partitions.push({ topic, partition, count });
    this.parts.push({ topic, partition, records: count, ...added });
  }
}

/** Records of one partition in the making. */
interface List {
  readonly topic: string;
  readonly partition: number;
  count: number;
  /** JSON that the list takes when it is empty. */
  readonly opening: number;
  /** JSON that a record takes at least. */
  readonly recordBytes: number;
}

const CLOSING_BYTES = '}}'.length;
const CREATE_TIME_BYTES = ',"timestamp":,"timestampType":"CREATE_TIME"'.length;
const LOG_TIME_BYTES = ',"timestamp":,"timestampType":"LOG_APPEND_TIME"'.length;
const KEY_BYTES = ',"key":""'.length;
const VALUE_BYTES = ',"value":""'.length;
const NULL_BYTES = ',"value":null'.length;
const HEADERS_BYTES = ',"headers":[]'.length;

/** Length of key, value and headers of the message at `at` as JSON. */
function jsonBytesOf(bytes: Buffer, at: number): number {
  const keyLength = bytes.readInt32LE(at);
  const valueAt = at + 8 + Math.max(0, keyLength);
  const valueLength = bytes.readInt32LE(valueAt - 4);
  const headers = bytes.readUInt16LE(valueAt + Math.max(0, valueLength));
  return (
    (keyLength < 0 ? 0 : KEY_BYTES + base64Bytes(keyLength)) +
    (valueLength < 0 ? NULL_BYTES : VALUE_BYTES + base64Bytes(valueLength)) +
    (headers === 0 ? HEADERS_BYTES : HEADERS_BYTES + headersJson(readMessage(bytes, at).headers))
  );
}

function base64Bytes(length: number): number {
  return 4 * Math.ceil(length / 3);
}

/** Length of an object each: `{"name":[1,2]}`, with all but ASCII escaped. */
function headersJson(headers: readonly (readonly [name: string, value: Uint8Array])[]): number {
  const commas = headers.length - 1;
  return headers.reduce((sum, [name, value]) => sum + asciiJson(name).length + `{:[${value.join(',')}]}`.length, commas);
}

function asciiJson(text: string): string {
  return JSON.stringify(text).replace(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function shared(bytes: number): Buffer<SharedArrayBuffer> {
  return Buffer.from(new SharedArrayBuffer(bytes));
}

const NO_BYTES = shared(0);
