import { crc32c } from '../../shared/hash.ts';
import type { OutgoingMessage } from '../channel-writer.ts';
import { ATTRIBUTE, BATCH, MAGIC } from './batch-layout.ts';

/** Who writes a batch, for brokers to tell copies and older producers by. */
export interface BatchProducer {
  /** Decimal. */
  readonly producerId: string;
  readonly producerEpoch: number;
  /** Sequence number of the first message. */
  readonly firstSequence: number;
}

export interface BatchCompression {
  /** Kafka's number of it. */
  readonly id: number;
  readonly compress: (records: Buffer) => Promise<Buffer>;
}

/**
 * A batch of records (format 2) of a transaction. kafkajs has an encoder too, which takes ten times as long: it makes an object and a
 * buffer of 512 bytes for each record.
 *
 * @param now - Timestamp of messages that have none, in ms.
 */
export async function encodeRecordBatch(
  messages: readonly OutgoingMessage[],
  producer: BatchProducer,
  now: number,
  compression?: BatchCompression,
): Promise<Buffer> {
  const times = messages.map(({ timestamp }) => timestamp ?? now);
  const [first, last] = boundsOf(times);
  const bodies = messages.map((message, i) => bodyBytes(message, i, (times[i] as number) - first));
  const bytes = bodies.reduce((sum, body) => sum + varintBytes(body) + body, 0);
  const plain = Buffer.allocUnsafe(BATCH.records + bytes);
  const writer = new RecordWriter(plain, BATCH.records);
  for (let i = 0; i < messages.length; i++) {
    writer.record(messages[i] as OutgoingMessage, i, (times[i] as number) - first, bodies[i] as number);
  }
  const batch = compression
    ? Buffer.concat([plain.subarray(0, BATCH.records), await compression.compress(plain.subarray(BATCH.records))])
    : plain;
  writeHead(batch, { count: messages.length, first, last, attributes: ATTRIBUTE.transactional | (compression?.id ?? 0) }, producer);
  return batch;
}

/** The least and the largest of them. */
function boundsOf(times: readonly number[]): [first: number, last: number] {
  let [first, last] = [times[0] ?? 0, times[0] ?? 0];
  for (const time of times) {
    if (time < first) first = time;
    if (time > last) last = time;
  }
  return [first, last];
}

interface HeadFields {
  readonly count: number;
  readonly first: number;
  readonly last: number;
  readonly attributes: number;
}

function writeHead(batch: Buffer, { count, first, last, attributes }: HeadFields, producer: BatchProducer): void {
  batch.writeBigInt64BE(0n, BATCH.firstOffset); // the broker's to set
  batch.writeInt32BE(batch.length - BATCH.leaderEpoch, BATCH.length);
  batch.writeInt32BE(0, BATCH.leaderEpoch);
  batch.writeInt8(MAGIC, BATCH.magic);
  batch.writeInt16BE(attributes, BATCH.attributes);
  batch.writeInt32BE(count - 1, BATCH.lastDelta);
  batch.writeBigInt64BE(BigInt(first), BATCH.firstTime);
  batch.writeBigInt64BE(BigInt(last), BATCH.maxTime);
  batch.writeBigInt64BE(BigInt(producer.producerId), BATCH.producerId);
  batch.writeInt16BE(producer.producerEpoch, BATCH.producerEpoch);
  batch.writeInt32BE(producer.firstSequence, BATCH.firstSequence);
  batch.writeInt32BE(count, BATCH.count);
  batch.writeUInt32BE(crc32c(batch.subarray(BATCH.attributes)), BATCH.checksum);
}

/** Of a record behind its length. `delay`: its time, from the first of the batch. */
function bodyBytes({ key, value, headers = [] }: OutgoingMessage, index: number, delay: number): number {
  let bytes = 1 + varintBytes(delay) + varintBytes(index) + fieldBytes(key) + fieldBytes(value) + varintBytes(headers.length);
  for (const [name, header] of headers) bytes += textBytes(name) + fieldBytes(header);
  return bytes;
}

function fieldBytes(field: Uint8Array | null): number {
  return field === null ? 1 : varintBytes(field.length) + field.length;
}

function textBytes(text: string): number {
  const bytes = Buffer.byteLength(text);
  return varintBytes(bytes) + bytes;
}

/** Of a number from 0, which is written doubled: odd ones stand for negative numbers. */
function varintBytes(value: number): number {
  if (value < 0x40) return 1;
  if (value < 0x2000) return 2;
  if (value < 0x100000) return 3;
  let bytes = 4;
  for (let limit = 0x8000000; value >= limit; limit *= 0x80) bytes++;
  return bytes;
}

/** Writes records one after another into room that is large enough. */
class RecordWriter {
  private readonly bytes: Buffer;
  private at: number;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  record({ key, value, headers = [] }: OutgoingMessage, index: number, delay: number, body: number): void {
    this.varint(body);
    this.bytes[this.at++] = 0; // attributes
    this.varint(delay);
    this.varint(index);
    this.field(key);
    this.field(value);
    this.varint(headers.length);
    for (const [name, header] of headers) {
      this.varint(Buffer.byteLength(name));
      this.at += this.bytes.write(name, this.at);
      this.field(header);
    }
  }

  private field(field: Uint8Array | null): void {
    if (field === null) {
      this.bytes[this.at++] = 1; // −1: none
      return;
    }
    this.varint(field.length);
    this.bytes.set(field, this.at);
    this.at += field.length;
  }

  private varint(value: number): void {
    let rest = value * 2;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.bytes[this.at++] = (rest % 0x80) | 0x80;
    this.bytes[this.at++] = rest;
  }
}
