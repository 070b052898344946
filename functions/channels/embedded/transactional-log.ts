import { EmbeddedConnection } from '../../shared/embedded-connection.ts';
import { BodyReader, BodyWriter, EMBEDDED_OPERATIONS, textBytes } from '../../shared/embedded-wire.ts';
import type { TransactionalLog, TransactionalProducer } from '../transactional-log.ts';
import { encodeParts, encodeTransaction } from './transaction-layout.ts';

/** The embedded log's client for transactions. `address`: see `EmbeddedConnection`; nothing is opened before the first call. */
export function openEmbeddedTransactionalLog(address: string): TransactionalLog {
  return new EmbeddedTransactionalLog(new EmbeddedConnection(address));
}

class EmbeddedTransactionalLog implements TransactionalLog {
  private readonly connection: EmbeddedConnection;

  constructor(connection: EmbeddedConnection) {
    this.connection = connection;
  }

  async openProducer(id: string, topic: string, partition: number): Promise<TransactionalProducer> {
    const body = new BodyWriter(textBytes(id) + textBytes(topic) + 4).text(id).text(topic).u32(partition).buffer;
    const reply = new BodyReader(await this.connection.request(EMBEDDED_OPERATIONS.openProducer, body, 'MILLRACE_CONNECTION_LOST'));
    const epoch = reply.u32();
    const committed = reply.text();
    return {
      committed: committed === '' ? undefined : Number(committed),
      commit: async (appends, offset) => {
        const transaction = encodeTransaction({ id, epoch, topic, partition, offset, parts: encodeParts(appends) });
        await this.connection.request(EMBEDDED_OPERATIONS.transact, transaction, 'MILLRACE_PRODUCE_FAILED');
      },
      close: () => Promise.resolve(),
    };
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}
