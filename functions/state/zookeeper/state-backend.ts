import { parseZooKeeperConfig, type ZooKeeperConfig } from '../../coordination/zookeeper/config.ts';
import { openZooKeeperCoordination } from '../../coordination/zookeeper/zookeeper-coordination.ts';
import type { StateBackend } from '../state-backend.ts';

/**
 * The state store in a real ZooKeeper. `config` is a connection string (`HOST:PORT,HOST:PORT/CHROOT`), open to all, or what
 * `parseZooKeeperConfig` makes of the environment. Nothing connects before the first call.
 *
 * @throws MILLRACE_CONFIG_INVALID
 */
export function openZooKeeperStateBackend(config: string | ZooKeeperConfig): StateBackend {
  return openZooKeeperCoordination(typeof config === 'string' ? parseZooKeeperConfig({ MILLRACE_ZOOKEEPER: config }) : config);
}
