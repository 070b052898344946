/** The coordination port over a real ZooKeeper, when connections, servers and rights fail. */
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import library from 'node-zookeeper-client';
import type { Coordination, SessionEvent } from '../../functions/coordination/coordination.ts';
import type { ZooKeeperConfig } from '../../functions/coordination/zookeeper/config.ts';
import { openZooKeeperCoordination } from '../../functions/coordination/zookeeper/zookeeper-coordination.ts';
import { openTcpProxy, type TcpProxy } from '../helpers/tcp-proxy.ts';
import { describeWithZooKeeper, makeChroot, zookeeperConfig } from '../helpers/zookeeper.ts';

const NO_DATA = new Uint8Array();

describeWithZooKeeper('ZooKeeper coordination', (address) => {
  let chroot: string;
  let direct: Coordination;
  let proxy: TcpProxy;
  let ours: Coordination;
  const opened: Coordination[] = [];

  function open(server: string, changes: Partial<ZooKeeperConfig> = {}): Coordination {
    const client = openZooKeeperCoordination(zookeeperConfig(server, changes));
    opened.push(client);
    return client;
  }

  beforeEach(async () => {
    chroot = await makeChroot(address);
    proxy = await openTcpProxy(address);
    direct = open(chroot, { requestTimeoutMs: 10_000 });
    ours = open(proxy.address + chroot.slice(address.length), { requestTimeoutMs: 1000 });
    await direct.multi([{ op: 'create', path: '/a', data: Uint8Array.of(1) }]);
    await ours.read('/a');
  });
  afterEach(async () => {
    proxy.release();
    for (const client of opened.splice(0)) await client.close();
    await proxy.close();
  });

  const eventsOf = (client: Coordination): SessionEvent[] => {
    const events: SessionEvent[] = [];
    client.onSession((event) => events.push(event));
    return events;
  };
  const until = (client: Coordination, wanted: SessionEvent): Promise<void> =>
    new Promise((resolve) => client.onSession((event) => event === wanted && resolve()));

  describe('a stalled server', () => {
    test('fails reads as lost and writes as unknown, and the session outlives it', async () => {
      await ours.create('/e', NO_DATA, { ephemeral: true });
      const events = eventsOf(ours);
      proxy.answers = 'hold';

      const [read, write] = await Promise.allSettled([ours.read('/a'), ours.multi([{ op: 'delete', path: '/b' }])]);

      expect(write).toMatchObject({ reason: { code: 'MILLRACE_OUTCOME_UNKNOWN' } });
      expect(read).toMatchObject({ reason: { code: 'MILLRACE_CONNECTION_LOST' } });
      proxy.release();
      expect((await ours.read('/a'))?.version).toBe(0);
      expect(await direct.list('/')).toEqual(['a', 'e']);
      expect(events).toEqual(['suspended', 'connected']);
    });

    test('is left for another one', async () => {
      const both = `${proxy.address},${address}${chroot.slice(address.length)}`;
      const clients = Array.from({ length: 6 }, () => open(both, { requestTimeoutMs: 2000 }));
      for (const client of clients) await client.read('/a');
      proxy.answers = 'hold';

      const found = await Promise.all(clients.map((client) => client.read('/a')));

      expect(found.map((node) => node?.version)).toEqual([0, 0, 0, 0, 0, 0]);
    });
  });

  describe('a lost connection', () => {
    test('leaves each write under way unknown: some were applied, some not', async () => {
      proxy.answers = 'drop';
      const applied = Array.from({ length: 100 }, (_, i) => ours.create(`/done-${i}`, NO_DATA, {}));
      const codes = Promise.all(applied.map((write) => write.catch((error: unknown) => (error as { code: string }).code)));
      await direct.create('/watched', NO_DATA, {});
      while ((await direct.list('/')).length < 102) await direct.read('/a');
      proxy.requests = 'drop';
      const dropped = Array.from({ length: 100 }, (_, i) => ours.create(`/not-${i}`, NO_DATA, {}));
      const others = Promise.all(dropped.map((write) => write.catch((error: unknown) => (error as { code: string }).code)));
      await proxy.nextRequest();
      proxy.cut();

      expect(new Set([...(await codes), ...(await others)])).toEqual(new Set(['MILLRACE_OUTCOME_UNKNOWN']));
      proxy.release();
      const names = await ours.list('/');
      expect(names.filter((name) => name.startsWith('done-'))).toHaveLength(100);
      expect(names.filter((name) => name.startsWith('not-'))).toHaveLength(0);
    });

    test('a write without a connection is not sent, then or later', async () => {
      const events = eventsOf(ours);
      const suspended = until(ours, 'suspended');
      proxy.requests = 'drop';
      proxy.cut();
      await suspended;

      await expect(ours.create('/late', NO_DATA, {})).rejects.toMatchObject({ code: 'MILLRACE_CONNECTION_LOST' });
      proxy.release();
      await ours.create('/later', NO_DATA, {});

      expect(await direct.list('/')).toEqual(['a', 'later']);
      expect(events).toEqual(['suspended', 'connected']);
    });

    test('a read under way is asked again on the next one', async () => {
      proxy.answers = 'drop';
      const reading = ours.read('/a');
      await proxy.nextRequest();
      proxy.release();
      proxy.cut();

      expect((await reading)?.version).toBe(0);
    });

    test('changes meanwhile are told to watches', async () => {
      let tell: () => void = () => undefined;
      const told = new Promise<void>((resolve) => (tell = resolve));
      await ours.watch('/a', tell);
      const suspended = until(ours, 'suspended');
      proxy.requests = 'drop';
      proxy.cut();
      await suspended;
      await direct.multi([{ op: 'set', path: '/a', data: NO_DATA, version: 0 }]);
      proxy.release();

      await told;

      expect((await ours.read('/a'))?.version).toBe(1);
    });
  });

  test('after a freeze of this process longer than the session, reads and writes go on in a new one', async () => {
    const frozen = open(chroot, { sessionTimeoutMs: 1000, requestTimeoutMs: 2000 });
    const sibling = open(chroot, { sessionTimeoutMs: 1000, requestTimeoutMs: 2000 });
    await frozen.create('/e', NO_DATA, { ephemeral: true });
    await sibling.read('/a');
    const events = eventsOf(frozen);

    // As Lambda does between two invocations: no timer, no socket, nothing runs.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2500);
    const [made, node] = await Promise.all([frozen.create('/b', NO_DATA, {}), sibling.read('/a')]);

    expect([made, node?.version]).toEqual(['/b', 0]);
    expect(events).toEqual(['suspended', 'lost', 'connected']);
    expect(await frozen.list('/')).toEqual(['a', 'b']);
  });

  describe('rights', () => {
    const auth = 'ada:s3cret';

    test('with a user, all that is made belongs to that user alone', async () => {
      const ada = open(chroot, { auth });
      await ada.multi([{ op: 'create', path: '/p/q/fence', data: NO_DATA }]);
      await ada.create('/p/e-', NO_DATA, { ephemeral: true, sequential: true });

      for (const path of ['/p', '/p/q', '/p/q/fence', '/p/e-0000000001']) expect(await aclOf(chroot, path)).toEqual(['digest ada 31']);
      await ada.multi([{ op: 'set', path: '/p/q/fence', data: NO_DATA, version: 0 }]);
      expect((await open(chroot, { auth }).read('/p/q/fence'))?.version).toBe(1);
    });

    test.each([
      ['without a user', undefined, 'a session without a user'],
      ['with another password', 'ada:other', 'user ada'],
    ])('%s it is refused, with the path and never the password', async (_, wrong, who) => {
      await open(chroot, { auth }).multi([{ op: 'create', path: '/p/fence', data: NO_DATA }]);
      const client = open(chroot, { auth: wrong });

      const failures = await Promise.all(
        [
          client.read('/p/fence'),
          client.list('/p'),
          client.multi([{ op: 'set', path: '/p/fence', data: NO_DATA, version: 0 }]),
          client.multi([{ op: 'create', path: '/p/x/y', data: NO_DATA }]),
          client.create('/p/z', NO_DATA, {}),
          client.watch('/p', () => undefined),
        ].map((call: Promise<unknown>) => call.catch((error: unknown) => error as Error & { code: string; retry: string })),
      );

      for (const failure of failures) {
        expect(failure).toMatchObject({ code: 'MILLRACE_NOT_AUTHORIZED', retry: 'never' });
        expect(String(failure)).toContain(`${chroot.slice(address.length)}/p`);
        expect(String(failure)).toContain(who);
        expect(String(failure)).not.toMatch(/s3cret|other/);
      }
    });
  });

  test('a chroot that is not there is an error for everything, until it is', async () => {
    const client = open(`${chroot}/none`);

    for (const call of [client.read('/a'), client.create('/a', NO_DATA, {}), client.list('/a')]) {
      await expect(call).rejects.toMatchObject({
        code: 'MILLRACE_CHROOT_MISSING',
        retry: 'never',
        message: expect.stringContaining(`${chroot.slice(address.length)}/none`),
      });
    }
    await direct.create('/none', NO_DATA, {});
    await client.create('/a', NO_DATA, {});
    expect(await direct.list('/none')).toEqual(['a']);
  });

  test('what a server drops the connection for is not sent', async () => {
    const events = eventsOf(direct);
    const many = Array.from({ length: 9000 }, (_, i) => ({ op: 'create', path: `/many-${i}`, data: Uint8Array.of(1) }) as const);
    const half = new Uint8Array(600_000);

    const outcomes = await Promise.allSettled([
      direct.multi(many),
      direct.multi(['/x', '/y'].map((path) => ({ op: 'create', path, data: half }) as const)),
      direct.create('/x', new Uint8Array(1_000_001), {}),
      direct.create('/fits', new Uint8Array(direct.limits.nodeBytes), {}),
    ]);

    const tooLarge = { status: 'rejected', reason: { code: 'MILLRACE_NODE_TOO_LARGE' } };
    expect(outcomes).toMatchObject([tooLarge, tooLarge, tooLarge, { status: 'fulfilled', value: '/fits' }]);
    expect([await direct.list('/'), events]).toEqual([['a', 'fits'], []]);
  });

  test('a multi as large as the limits allow is taken', async () => {
    const name = 'n'.repeat(100);
    const ops = Array.from({ length: 500 }, (_, i) => ({ op: 'create', path: `/${name}-${i}`, data: new Uint8Array(1860) }) as const);

    await direct.multi(ops);

    expect(await direct.list('/')).toHaveLength(501);
  });

  test.each(['a', '/a/', '/a//b', '/../a', '/a\0', '/\ud83d\ude00'])('path %j is refused, not thrown', async (path) => {
    for (const call of [ours.read(path), ours.list(path), ours.multi([{ op: 'delete', path }]), ours.create(path, NO_DATA, {})])
      await expect(call).rejects.toMatchObject({ code: 'MILLRACE_OPTION_INVALID' });
  });

  test('a node without data, as other clients make them, reads as empty', async () => {
    const client = library.createClient(chroot);
    client.connect();
    await new Promise<void>((resolve) => client.create('/null', () => resolve()));
    client.close();
    await once(client, 'disconnected');

    expect(await ours.read('/null')).toMatchObject({ data: Buffer.alloc(0), version: 0 });
  });

  test('lists 20,000 children', async () => {
    for (let from = 0; from < 20_000; from += 2000)
      await direct.multi(Array.from({ length: 2000 }, (_, i) => ({ op: 'create', path: `/c/n-${from + i}`, data: NO_DATA }) as const));

    const names = await ours.list('/c');

    expect(names).toHaveLength(20_000);
    expect(names).toEqual([...names].sort());
  });
});

/** Scheme, user and rights of each entry, as the server has them. */
async function aclOf(server: string, path: string): Promise<string[]> {
  const client = library.createClient(server);
  client.addAuthInfo('digest', Buffer.from('ada:s3cret'));
  client.connect();
  await once(client, 'connected');
  const acl = await new Promise<unknown>((resolve) => client.getACL(path, (error, found) => resolve(error ?? found)));
  client.close();
  await once(client, 'disconnected');
  return (acl as { permission: number; id: { scheme: string; id: string } }[]).map(
    ({ permission, id }) => `${id.scheme} ${id.id.replace(/:.*/, '')} ${permission}`,
  );
}
