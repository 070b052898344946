import { EmbeddedConnection } from '../../shared/embedded-connection.ts';
import { BodyReader, BodyWriter, EMBEDDED_OPERATIONS, textBytes } from '../../shared/embedded-wire.ts';
import type { ChannelWriter, OutgoingMessage } from '../channel-writer.ts';
import { messageBytes, writeMessages } from './message-layout.ts';

/** The embedded log's client. `address`: see `EmbeddedConnection`; nothing is opened before the first call. */
export function openEmbeddedChannelWriter(address: string): ChannelWriter {
  return new EmbeddedChannelWriter(new EmbeddedConnection(address));
}

class EmbeddedChannelWriter implements ChannelWriter {
  private readonly connection: EmbeddedConnection;
  /** Partition counts never change while the harness lives. */
  private readonly partitionCounts = new Map<string, number>();

  constructor(connection: EmbeddedConnection) {
    this.connection = connection;
  }

  async append(topic: string, partition: number, messages: readonly OutgoingMessage[]): Promise<void> {
    const body = encodeAppend(topic, partition, messages);
    await this.connection.request(EMBEDDED_OPERATIONS.append, body, 'MILLRACE_CONNECTION_LOST');
  }

  async partitionCount(topic: string): Promise<number> {
    const known = this.partitionCounts.get(topic);
    if (known !== undefined) return known;
    const body = new BodyWriter(textBytes(topic)).text(topic).buffer;
    const reply = await this.connection.request(EMBEDDED_OPERATIONS.partitionCount, body, 'MILLRACE_CONNECTION_LOST');
    const count = new BodyReader(reply).u32();
    this.partitionCounts.set(topic, count);
    return count;
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}

/** Topic, partition, count, then the messages in the log's own layout. */
function encodeAppend(topic: string, partition: number, messages: readonly OutgoingMessage[]): Buffer {
  let bytes = 0;
  for (const message of messages) bytes += messageBytes(message);
  const body = new BodyWriter(textBytes(topic) + 8 + bytes).text(topic).u32(partition).u32(messages.length);
  writeMessages(body.buffer, body.skip(bytes), messages);
  return body.buffer;
}
