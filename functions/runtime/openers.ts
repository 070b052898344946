import { openEmbeddedChannelWriter } from '../channels/embedded/channel-writer.ts';
import { openEmbeddedTransactionalLog } from '../channels/embedded/transactional-log.ts';
import type { CompressionCodec } from '../channels/kafka/compression/codec.ts';
import type { KafkaSinks } from '../channels/kafka/kafka-sinks.ts';
import type { ChannelWriter } from '../channels/channel-writer.ts';
import type { TransactionalLog } from '../channels/transactional-log.ts';
import { openEmbeddedStateBackend } from '../state/embedded/state-backend.ts';
import type { StateBackend } from '../state/state-backend.ts';
import type { Environment } from './adapters.ts';

/**
 * The adapters that a generated entry chooses from. Each takes the function's environment. Those with a client of a third party load it only
 * when they are called: a bundle has each client in a file of its own, as parsing it would cost every cold start.
 */
export function openEmbeddedLog(env: Environment): ChannelWriter {
  return openEmbeddedChannelWriter(addressIn(env));
}

export function openEmbeddedState(env: Environment): StateBackend {
  return openEmbeddedStateBackend(addressIn(env));
}

export function openEmbeddedTransactions(env: Environment): TransactionalLog {
  return openEmbeddedTransactionalLog(addressIn(env));
}

export async function openKafkaLog(env: Environment, sinks: KafkaSinks): Promise<ChannelWriter> {
  const { openKafkaChannelWriter } = await import('../channels/kafka/channel-writer.ts');
  return openKafkaChannelWriter(env, sinks);
}

export async function openKafkaTransactions(env: Environment, sinks: KafkaSinks): Promise<TransactionalLog> {
  const { openKafkaTransactionalLog } = await import('../channels/kafka/transactional-log.ts');
  return openKafkaTransactionalLog(env, sinks);
}

export async function openSnappy(): Promise<CompressionCodec> {
  return (await import('../channels/kafka/compression/snappy.ts')).snappyCodec;
}

export async function openLz4(): Promise<CompressionCodec> {
  return (await import('../channels/kafka/compression/lz4.ts')).lz4Codec;
}

export async function openZstd(): Promise<CompressionCodec> {
  return (await import('../channels/kafka/compression/zstd.ts')).zstdCodec;
}

export async function openZooKeeperState(env: Environment): Promise<StateBackend> {
  const { openZooKeeperStateBackend } = await import('../state/zookeeper/state-backend.ts');
  const { parseZooKeeperConfig } = await import('../coordination/zookeeper/config.ts');
  return openZooKeeperStateBackend(parseZooKeeperConfig(env));
}

/** Address of the embedded log and store: a socket path or `127.0.0.1:port`. */
function addressIn(env: Environment): string {
  return env['MILLRACE_EMBEDDED'] ?? '';
}
