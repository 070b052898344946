import { openEmbeddedTransactionalLog } from '../../functions/channels/embedded/transactional-log.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { MemoryStateBackend } from '../../functions/state/memory/memory-state-backend.ts';
import { openEmbeddedServer } from '../../local/embedded-server.ts';
import { EmbeddedLog } from '../../local/log/embedded-log.ts';
import { MemoryLog } from '../../local/testing/memory-log.ts';
import { transactionalLogContract } from './transactional-log.ts';

// On Kafka it runs in test/services/kafka-transactions.test.ts.

transactionalLogContract('memory', () => {
  const log = new MemoryLog(systemClock);
  return Promise.resolve({
    log,
    createTopic(name, partitions) {
      log.createTopic(name, partitions);
      return Promise.resolve();
    },
    readCommitted: (topic, partition) =>
      Promise.resolve((log.partitions(topic)[partition] ?? []).map(({ value }) => Buffer.from(value ?? []).toString())),
    close: () => log.close(),
  });
});

transactionalLogContract('embedded', async () => {
  const embedded = new EmbeddedLog();
  const server = await openEmbeddedServer(embedded, new MemoryStateBackend());
  const log = openEmbeddedTransactionalLog(server.address);
  return {
    log,
    createTopic(name, partitions) {
      embedded.createTopic(name, partitions);
      return Promise.resolve();
    },
    readCommitted(topic, partition) {
      const records = embedded.read(topic, partition, 0, { maxRecords: 10_000, maxBytes: Infinity });
      return Promise.resolve(records.map(({ value }) => Buffer.from(value ?? []).toString()));
    },
    async close() {
      await log.close();
      await server.close();
      await embedded.close();
    },
  };
});
