import { MemoryCoordination } from '../../functions/coordination/memory/memory-coordination.ts';
import { MemoryTree } from '../../functions/coordination/memory/memory-tree.ts';
import { openZooKeeperCoordination } from '../../functions/coordination/zookeeper/zookeeper-coordination.ts';
import { openTcpProxy } from '../helpers/tcp-proxy.ts';
import { describeWithZooKeeper, isGone, makeChroot, zookeeperConfig } from '../helpers/zookeeper.ts';
import { type CoordinationSubject, coordinationContract } from './coordination.ts';
import { stateBackendContract } from './state-backend.ts';

coordinationContract('memory', () => {
  const tree = new MemoryTree();
  const sessions: MemoryCoordination[] = [];
  const subject: CoordinationSubject = {
    open() {
      const session = new MemoryCoordination(tree);
      sessions.push(session);
      return session;
    },
    expire: async (expired) => sessions.find((session) => session === expired)?.expire(),
    close: () => tree.close(),
  };
  return Promise.resolve(subject);
});

stateBackendContract('memory session', () => {
  const state = new MemoryCoordination(new MemoryTree());
  return Promise.resolve({ state, close: () => state.close() });
});

describeWithZooKeeper('on a real ZooKeeper', (address) => {
  coordinationContract('ZooKeeper', async () => {
    const chroot = await makeChroot(address);
    // The first session goes through a proxy, so that it can be kept from the server until it expires.
    const proxy = await openTcpProxy(address);
    const through = proxy.address + chroot.slice(address.length);
    const opened = new Set<unknown>();
    return {
      open() {
        const isFirst = opened.size === 0;
        const patience = isFirst
          ? { sessionTimeoutMs: 2000, requestTimeoutMs: 1000 }
          : { sessionTimeoutMs: 10_000, requestTimeoutMs: 10_000 };
        const config = zookeeperConfig(isFirst ? through : chroot, patience);
        const coordination = openZooKeeperCoordination(config);
        opened.add(coordination);
        return coordination;
      },
      async expire(coordination) {
        await coordination.create('/alive', new Uint8Array(), { ephemeral: true });
        const lost = new Promise<void>((resolve) => coordination.onSession((event) => event === 'lost' && resolve()));
        proxy.requests = 'drop';
        proxy.cut();
        await isGone(chroot, '/alive');
        proxy.release();
        await lost;
      },
      close: () => proxy.close(),
    };
  });

  stateBackendContract('ZooKeeper', async () => {
    const state = openZooKeeperCoordination(zookeeperConfig(await makeChroot(address), { requestTimeoutMs: 10_000 }));
    return { state, close: () => state.close() };
  });
});
