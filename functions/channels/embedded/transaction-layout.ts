import { BodyReader, BodyWriter, textBytes } from '../../shared/embedded-wire.ts';
import type { TopicAppend } from '../transactional-log.ts';
import { encodeMessages } from './message-layout.ts';

/** A transaction on the wire to the embedded log: the producer, the offset that it commits for an input partition, and what it appends. */
export interface EncodedTransaction {
  readonly id: string;
  readonly epoch: number;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly parts: readonly EncodedPart[];
}

/** Messages for one partition in the log's layout (`writeMessage`). */
export interface EncodedPart {
  readonly topic: string;
  readonly partition: number;
  readonly count: number;
  readonly body: Buffer;
}

export function encodeParts(appends: readonly TopicAppend[]): EncodedPart[] {
  return appends.map(({ topic, partition, messages }) => ({ topic, partition, count: messages.length, body: encodeMessages(messages) }));
}

/** Text id, u32 epoch, text topic, u32 partition, text offset, u32 parts; per part text topic, u32 partition, u32 count, bytes. */
export function encodeTransaction({ id, epoch, topic, partition, offset, parts }: EncodedTransaction): Buffer {
  const decimal = String(offset);
  let bytes = textBytes(id) + textBytes(topic) + textBytes(decimal) + 12;
  for (const part of parts) bytes += textBytes(part.topic) + 12 + part.body.length;
  const body = new BodyWriter(bytes).text(id).u32(epoch).text(topic).u32(partition).text(decimal).u32(parts.length);
  for (const part of parts) body.text(part.topic).u32(part.partition).u32(part.count).bytes(part.body);
  return body.buffer;
}

/** Views of `body`, not copies. @throws MILLRACE_CONNECTION_LOST if it is none. */
export function decodeTransaction(body: Buffer): EncodedTransaction {
  const reader = new BodyReader(body);
  const [id, epoch, topic, partition, offset] = [reader.text(), reader.u32(), reader.text(), reader.u32(), Number(reader.text())];
  const count = reader.u32();
  const parts: EncodedPart[] = [];
  while (parts.length < count) parts.push({ topic: reader.text(), partition: reader.u32(), count: reader.u32(), body: reader.bytes() });
  return { id, epoch, topic, partition, offset, parts };
}
