import { resolve } from 'node:path';
import type { ChannelWriter } from '../../functions/channels/channel-writer.ts';
import { encodeParts } from '../../functions/channels/embedded/transaction-layout.ts';
import { createKafkaChannelWriter } from '../../functions/channels/kafka/channel-writer.ts';
import { createKafkaTransactionalLog } from '../../functions/channels/kafka/transactional-log.ts';
import type { TransactionalLog } from '../../functions/channels/transactional-log.ts';
import { openDataDir } from '../data-dir.ts';
import { kafkaConfigOf } from '../inspect/log-reader.ts';
import { EmbeddedLog } from '../log/embedded-log.ts';
import type { Project } from '../project.ts';

/** The log of a run, for who brings dead letters back. */
export interface ReplayTarget {
  readonly channels: ChannelWriter;
  readonly transactions: TransactionalLog;
  close(): Promise<void>;
}

/**
 * In Kafka beside whatever runs; a data folder has one user at a time.
 *
 * @throws MILLRACE_DATA_INVALID a run is using the data folder.
 */
export function openReplayTarget(project: Project, cwd: string): ReplayTarget {
  const config = kafkaConfigOf(project, cwd);
  if (!config) return openDataTarget(resolve(cwd, project.config.data ?? ''));
  const channels = createKafkaChannelWriter(config);
  const transactions = createKafkaTransactionalLog(config);
  const close = async (): Promise<void> => {
    await Promise.all([channels.close(), transactions.close()]);
  };
  return { channels, transactions, close };
}

function openDataTarget(path: string): ReplayTarget {
  const dir = openDataDir(path);
  try {
    const log = new EmbeddedLog({ dataDir: dir.path });
    const close = async (): Promise<void> => {
      await log.close();
      dir.release();
    };
    return { channels: log, transactions: transactionsOf(log), close };
  } catch (error) {
    dir.release();
    throw error;
  }
}

function transactionsOf(log: EmbeddedLog): TransactionalLog {
  // Async, so that what they throw rejects.
  return {
    openProducer: async (id, topic, partition) => {
      const { epoch, committed } = log.transactions.openProducer(id, topic, partition);
      return {
        committed,
        commit: async (appends, offset) => log.transactions.commit({ id, epoch, topic, partition, offset, parts: encodeParts(appends) }),
        close: () => Promise.resolve(),
      };
    },
    close: () => Promise.resolve(),
  };
}
