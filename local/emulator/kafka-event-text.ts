import { readMessage } from '../../functions/channels/embedded/message-layout.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import type { Segment } from '../log/segment.ts';
import { AsciiText } from './ascii-text.ts';
import { type EventRecords, headerList } from './event-records.ts';

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

/**
 * The event of a self-managed Kafka mapping, built as JSON text: the records' fields are spliced between fixed pieces, without an
 * object a record. All of it is ASCII, so its length is its size in bytes.
 */
export class KafkaEventText {
  readonly parts: EventPart[] = [];
  private readonly maxBytes: number;
  private readonly text = new AsciiText();
  private records = 0;

  constructor(bootstrapServers: string, maxBytes: number) {
    this.maxBytes = maxBytes;
    this.text.add(`{"eventSource":"SelfManagedKafka","bootstrapServers":${JSON.stringify(bootstrapServers)},"records":{`);
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
      const reached = this.addSegment(segment, index, last, head, separator);
      bytes += segment.position(reached) - segment.position(index);
      offset = segment.baseOffset + reached;
      if (reached > index) separator = ',';
      if (reached < last) break;
    }
    if (this.records === before) return;
    this.text.add(']');
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

  /** Adds records of one partition while they fit, from each list those from index `from` on; as `add`. */
  addRecords(
    source: Pick<EventPart, 'topic' | 'partition' | 'tenure'>,
    lists: Iterable<{ readonly records: EventRecords; readonly from: number }>,
    maxRecords: number,
  ): void {
    const { topic, partition, tenure } = source;
    const room = this.maxBytes - 3;
    const end = this.records + maxRecords;
    const head = recordHead(source);
    const added = { records: 0, bytes: 0, from: 0, to: 0, firstTime: 0, lastTime: 0 };
    let separator = this.opening(source);
    let isFull = false;
    for (const { records, from } of lists) {
      for (let i = from; i < records.count; i++) {
        isFull = this.records >= end;
        const record = isFull ? '' : `${separator}${head}${records.textAt(i)}`;
        isFull ||= this.text.length + record.length > room && this.records > 0;
        if (isFull) break;
        this.text.add(record);
        separator = ',';
        this.records++;
        if (added.records++ === 0) [added.from, added.firstTime] = [records.offsetAt(i), records.timeAt(i)];
        [added.to, added.lastTime] = [records.offsetAt(i) + 1, records.timeAt(i)];
        added.bytes += records.bytesAt(i);
      }
      if (isFull) break;
    }
    if (added.records === 0) return;
    this.text.add(']');
    this.parts.push({ topic, partition, tenure, ...added });
  }

  /** The event. Once: nothing can be added afterwards. */
  toString(): string {
    this.text.add('}}');
    return this.text.take();
  }

  /** What begins the list of a partition. */
  private opening({ topic, partition }: Pick<EventPart, 'topic' | 'partition'>): string {
    return `${this.parts.length > 0 ? ',' : ''}"${topic}-${partition}":[`;
  }

  /** Adds the records `index` to `last` − 1 of a segment while they fit; returns the first that is not in. */
  private addSegment(segment: Segment, index: number, last: number, head: string, separator: string): number {
    const { bytes, positions, times, baseOffset } = segment;
    // Room for the brackets that close the event.
    const room = this.maxBytes - 3;
    const { text } = this;
    let [time, timeText] = [NaN, ''];
    for (; index < last; index++) {
      const at = positions[index] as number;
      const now = times[index] as number;
      if (now !== time) [time, timeText] = [now, `,"timestamp":${now},"timestampType":"LOG_APPEND_TIME"`];
      const record = `${separator}${head}${baseOffset + index}${timeText}${fieldsText(bytes, at)}`;
      if (text.length + record.length > room && this.records > 0) break;
      text.add(record);
      separator = ',';
      this.records++;
    }
    return index;
  }
}

function recordHead({ topic, partition }: Pick<EventPart, 'topic' | 'partition'>): string {
  return `{"topic":"${topic}","partition":${partition},"offset":`;
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
