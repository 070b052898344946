import { resolve } from 'node:path';
import type { ChannelWriter } from '../../functions/channels/channel-writer.ts';
import { encodeParts } from '../../functions/channels/embedded/transaction-layout.ts';
import { createKafkaChannelWriter } from '../../functions/channels/kafka/channel-writer.ts';
import type { CompressionCodecs, KafkaCompression } from '../../functions/channels/kafka/compression/codec.ts';
import { createKafkaTransactionalLog } from '../../functions/channels/kafka/transactional-log.ts';
import type { TransactionalLog } from '../../functions/channels/transactional-log.ts';
import type { StagePlan } from '../../functions/graph/stage-plan.ts';
import { openLz4, openSnappy, openZstd } from '../../functions/runtime/openers.ts';
import { openDataDir } from '../data-dir.ts';
import { kafkaConfigOf } from '../inspect/log-reader.ts';
import { EmbeddedLog } from '../log/embedded-log.ts';
import type { Project } from '../project.ts';

/** What a stage writes to the log with. */
export interface LogPorts {
  readonly channels: ChannelWriter;
  readonly transactions: TransactionalLog;
}

/** The log of a run, for who brings dead letters back. */
export interface ReplayTarget {
  readonly channels: ChannelWriter;
  /** The log as the sinks of a stage that is run here want it written to. */
  portsOf(stage: StagePlan): LogPorts;
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
  const opened: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(port: T): T => {
    opened.push(port);
    return port;
  };
  return {
    channels: keep(createKafkaChannelWriter(config)),
    portsOf: ({ produces }) => {
      const sinks = { produces, codecs: codecsFor(produces) };
      return {
        channels: keep(createKafkaChannelWriter(config, Date.now, sinks)),
        transactions: keep(createKafkaTransactionalLog(config, Date.now, sinks)),
      };
    },
    close: async () => {
      await Promise.all(opened.map((port) => port.close()));
    },
  };
}

const CODECS: CompressionCodecs = { snappy: openSnappy, lz4: openLz4, zstd: openZstd };

/** Those that are written with alone: the others may be registered for readers, which can do without Node's. */
function codecsFor(produces: StagePlan['produces']): CompressionCodecs {
  const wanted = new Set(Object.values(produces).map(({ compression }) => compression));
  return Object.fromEntries(Object.entries(CODECS).filter(([name]) => wanted.has(name as KafkaCompression)));
}

function openDataTarget(path: string): ReplayTarget {
  const dir = openDataDir(path);
  try {
    const log = new EmbeddedLog({ dataDir: dir.path });
    const close = async (): Promise<void> => {
      await log.close();
      dir.release();
    };
    const ports = { channels: log, transactions: transactionsOf(log) };
    return { channels: log, portsOf: () => ports, close };
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
