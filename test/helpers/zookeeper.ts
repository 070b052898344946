import { randomUUID } from 'node:crypto';
import { parseZooKeeperConfig, type ZooKeeperConfig } from '../../functions/coordination/zookeeper/config.ts';
import { openZooKeeperCoordination } from '../../functions/coordination/zookeeper/zookeeper-coordination.ts';
import { describeWithServices } from './services.ts';

/** A suite on the shared ZooKeeper; `address` is its `host:port`. */
export function describeWithZooKeeper(title: string, suite: (address: string) => void): void {
  describeWithServices(['zookeeper'], title, ({ zookeeper }) => suite(zookeeper.address));
}

/** For a client of a test: quick to give up. */
export function zookeeperConfig(address: string, changes: Partial<ZooKeeperConfig> = {}): ZooKeeperConfig {
  return { ...parseZooKeeperConfig({ MILLRACE_ZOOKEEPER: address }), sessionTimeoutMs: 4000, requestTimeoutMs: 2000, ...changes };
}

/** A chroot that no other test has; gives its connection string. */
export async function makeChroot(address: string): Promise<string> {
  const chroot = `/test-${randomUUID().slice(0, 8)}`;
  const root = openZooKeeperCoordination(zookeeperConfig(address));
  await root.multi([{ op: 'create', path: chroot, data: new Uint8Array() }]);
  await root.close();
  return address + chroot;
}

/** Resolves when there is no node at `path` any more: for an ephemeral one, when its session has ended. */
export async function isGone(address: string, path: string): Promise<void> {
  const coordination = openZooKeeperCoordination(zookeeperConfig(address));
  await new Promise<void>((resolve, reject) => {
    const look = (): void => void coordination.read(path).then((node) => node ?? resolve(), reject);
    coordination.watch(path, look).then(look, reject);
  });
  await coordination.close();
}
