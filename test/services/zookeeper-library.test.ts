/**
 * Defects of node-zookeeper-client that functions/coordination/zookeeper works around. A test that fails here after an upgrade says that the
 * work-around can go, or needs another look.
 */
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import library, { type ACL, type Client } from 'node-zookeeper-client';
import { openTcpProxy, type TcpProxy } from '../helpers/tcp-proxy.ts';
import { describeWithZooKeeper, isGone, makeChroot } from '../helpers/zookeeper.ts';

const CONNECTION_LOSS = -4;
const NO_AUTH = -102;
const SESSION_EXPIRED = -112;
/** Missing in its types. */
const { CREATOR_ALL_ACL: creatorAll } = library.ACL as unknown as { CREATOR_ALL_ACL: ACL[] };

/** The code that a call with a callback fails with; undefined where it succeeds. */
const outcome = (call: (done: (error: unknown) => void) => void): Promise<number | undefined> =>
  new Promise((resolve) => call((error) => resolve((error as { code?: number } | null | undefined)?.code)));

describeWithZooKeeper('node-zookeeper-client', (address) => {
  let proxy: TcpProxy;
  let through: string;
  let client: Client;

  beforeEach(async () => {
    const chroot = await makeChroot(address);
    proxy = await openTcpProxy(address);
    through = proxy.address + chroot.slice(address.length);
    client = library.createClient(through, { sessionTimeout: 1000, spinDelay: 10 });
    client.connect();
    await once(client, 'connected');
    expect(await outcome((done) => client.create('/a', Buffer.of(1), done))).toBeUndefined();
  });
  afterEach(async () => {
    end(client);
    await proxy.close();
  });

  /** The library has no way to give up a connection. */
  function end(ended: Client): void {
    const { connectionManager } = ended as unknown as { connectionManager: { connect: () => void; socket?: { destroy(): void } } };
    connectionManager.connect = () => undefined;
    connectionManager.socket?.destroy();
  }

  test('takes version 0 in transactions for any version; the version put into the operation counts', async () => {
    expect(await outcome((done) => client.setData('/a', Buffer.of(2), 0, done))).toBeUndefined();

    expect(await outcome((done) => client.transaction().setData('/a', Buffer.of(3), 0).commit(done))).toBeUndefined();
    expect(await outcome((done) => client.transaction().check('/a', 0).commit(done))).toBeUndefined();

    const transaction = client.transaction().check('/a', 1) as unknown as {
      ops: { version: number }[];
      commit: (done: (error: unknown) => void) => void;
    };
    for (const op of transaction.ops) op.version = 0;
    expect(await outcome((done) => transaction.commit(done))).toBe(-103);
  });

  test('waits for a stalled server for longer than the session lasts', async () => {
    proxy.answers = 'hold';
    let isDone = false;
    const reading = outcome((done) => client.getData('/a', done)).then(() => (isDone = true));

    await new Promise((resolve) => setTimeout(resolve, 2200));

    expect([isDone, client.getState()]).toEqual([false, library.State.SYNC_CONNECTED]);
    proxy.cut();
    await reading;
  });

  test('sends what was asked for without a connection as soon as there is one', async () => {
    const disconnected = once(client, 'disconnected');
    proxy.requests = 'drop';
    proxy.cut();
    await disconnected;
    const late = outcome((done) => client.setData('/a', Buffer.of(9), 0, done));
    proxy.release();
    proxy.cut();

    expect(await late).toBeUndefined();
  });

  test('sends requests before the authentication that was given first', async () => {
    const owner = library.createClient(through);
    owner.addAuthInfo('digest', Buffer.from('ada:s3cret'));
    owner.connect();
    await once(owner, 'connected');
    expect(await outcome((done) => owner.create('/own', Buffer.of(1), creatorAll, done))).toBeUndefined();
    end(owner);

    const again = library.createClient(through);
    again.addAuthInfo('digest', Buffer.from('ada:s3cret'));
    again.connect();
    expect(await outcome((done) => again.getData('/own', done))).toBe(NO_AUTH);
    expect(await outcome((done) => again.getData('/own', done))).toBeUndefined();
    end(again);
  });

  test('is of no use after its session has expired', async () => {
    const expired = once(client, 'expired');
    expect(await outcome((done) => client.create('/alive', library.CreateMode.EPHEMERAL, done))).toBeUndefined();
    proxy.requests = 'drop';
    proxy.cut();
    await isGone(address + through.slice(proxy.address.length), '/alive');
    proxy.release();
    proxy.cut();
    await expired;

    expect([CONNECTION_LOSS, SESSION_EXPIRED]).toContain(await outcome((done) => client.getData('/a', done)));
    expect([CONNECTION_LOSS, SESSION_EXPIRED]).toContain(await outcome((done) => client.getData('/a', done)));
  });

  test('a transaction over 1 MiB ends the connection, and what else is under way with it', async () => {
    const large = client.transaction();
    for (const name of ['x', 'y', 'z']) large.create(`/${name}`, Buffer.alloc(500_000));

    const outcomes = await Promise.all([
      outcome((done) => large.commit(done)),
      outcome((done) => client.setData('/a', Buffer.of(5), done)),
    ]);

    expect(outcomes[0]).toBe(CONNECTION_LOSS);
    expect(outcomes[1]).toBe(CONNECTION_LOSS);
  });

  test('throws out of the call: for data over 1 MiB, and for some bad paths', () => {
    const ignore = (): undefined => undefined;
    expect(() => client.setData('/a', Buffer.alloc(1_048_577), ignore)).toThrow(/1048576 bytes/);
    expect(() => client.getData('/a//b', ignore)).toThrow(/empty node name/);
  });

  test('gives no data at all for a node without', async () => {
    expect(await outcome((done) => client.create('/null', done))).toBeUndefined();

    const data = await new Promise((resolve) => client.getData('/null', (_, found: unknown) => resolve(found)));

    expect(data).toBeUndefined();
  });
});
