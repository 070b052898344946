import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedChannelWriter } from '../../functions/channels/embedded/channel-writer.ts';
import { MemoryStateBackend } from '../../functions/state/memory/memory-state-backend.ts';
import { openEmbeddedServer } from '../../local/embedded-server.ts';
import { EmbeddedLog } from '../../local/log/embedded-log.ts';
import { channelWriterContract, type ChannelWriterSubject } from './channel-writer.ts';

function subjectOf(log: EmbeddedLog, writer: ChannelWriterSubject['writer'], close: () => Promise<void>): ChannelWriterSubject {
  return {
    writer,
    createTopic(name, partitions, maxMessageBytes) {
      log.createTopic(name, partitions, maxMessageBytes === undefined ? {} : { maxMessageBytes });
      return Promise.resolve();
    },
    read: (topic, partition) => Promise.resolve(log.read(topic, partition, 0, { maxRecords: 10_000, maxBytes: 1e9 })),
    close,
  };
}

channelWriterContract('embedded log in memory', () => {
  const log = new EmbeddedLog();
  return Promise.resolve(subjectOf(log, log, () => log.close()));
});

channelWriterContract('embedded log on disk', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  const log = new EmbeddedLog({ dataDir });
  return Promise.resolve(
    subjectOf(log, log, async () => {
      await log.close();
      rmSync(dataDir, { recursive: true });
    }),
  );
});

channelWriterContract('embedded log through its socket', async () => {
  const log = new EmbeddedLog();
  const server = await openEmbeddedServer(log, new MemoryStateBackend());
  const writer = openEmbeddedChannelWriter(server.address);
  return subjectOf(log, writer, async () => {
    await writer.close();
    await server.close();
    await log.close();
  });
});
