import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Coordination } from '../../../../../functions/coordination/coordination.ts';
import { openZooKeeperCoordination } from '../../../../../functions/coordination/zookeeper/zookeeper-coordination.ts';
import { type FakeRequest, openFakeZooKeeper, OPERATIONS, replyHeader, withLength } from '../../../../helpers/fake-zookeeper.ts';
import { zookeeperConfig } from '../../../../helpers/zookeeper.ts';

const NO_NODE = -101;
const AUTH_FAILED = -115;
const AUTH_XID = -4;

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A client of a server whose n-th request (authentication aside) is handled by `handle`. */
async function clientOf(handle: (request: FakeRequest, n: number) => void, changes: Parameters<typeof zookeeperConfig>[1] = {}) {
  let requests = 0;
  const server = await openFakeZooKeeper((request) => {
    if (request.operation !== OPERATIONS.auth) handle(request, ++requests);
  });
  closers.push(() => server.close());
  return open(server.address, changes);
}

function open(address: string, changes: Parameters<typeof zookeeperConfig>[1]): Coordination {
  const client = openZooKeeperCoordination(zookeeperConfig(address, { requestTimeoutMs: 300, ...changes }));
  closers.push(() => client.close());
  return client;
}

describe('answers that the library cannot take', () => {
  test('an unknown code ends the connection, not the process: a read goes on with the next one', async () => {
    const client = await clientOf((request, n) => request.answer(n === 1 ? -118 : NO_NODE));

    await expect(client.read('/a')).resolves.toBeUndefined();
  });

  test('an unknown code for a write leaves its outcome unknown', async () => {
    const client = await clientOf((request) => request.answer(-118));

    await expect(client.create('/a', new Uint8Array(), {})).rejects.toMatchObject({ code: 'MILLRACE_OUTCOME_UNKNOWN' });
  });

  test('an answer cut in half does not spoil the next connection', async () => {
    const client = await clientOf((request, n) => {
      if (n > 1) request.answer(NO_NODE);
      else request.socket.end(withLength(replyHeader(request.xid, NO_NODE)).subarray(0, 10));
    });

    await expect(client.read('/a')).resolves.toBeUndefined();
  });
});

describe('authentication', () => {
  test('a server that refuses it is not asked again and again, and the password is not told', async () => {
    let connections = 0;
    const server = await openFakeZooKeeper((request) => {
      if (request.operation !== OPERATIONS.auth) return;
      connections++;
      request.answer(AUTH_FAILED, undefined, AUTH_XID);
    });
    closers.push(() => server.close());
    const client = open(server.address, { auth: 'ada:s3cret' });

    const failure = await client.read('/a').then(
      () => new Error('not refused'),
      (error: unknown) => error as Error,
    );

    expect(failure).toMatchObject({ code: 'MILLRACE_AUTHENTICATION_FAILED', retry: 'never' });
    expect(failure.message).toContain('user ada');
    expect(failure.message).not.toContain('s3cret');
    await expect(client.multi([{ op: 'delete', path: '/a' }])).rejects.toMatchObject({ code: 'MILLRACE_AUTHENTICATION_FAILED' });
    expect(connections).toBeLessThanOrEqual(4);
  });

  test('a server that takes nobody without it is named with the setting', async () => {
    const client = await clientOf((request) => request.answer(-124));

    await expect(client.read('/a')).rejects.toMatchObject({
      code: 'MILLRACE_AUTHENTICATION_FAILED',
      message: expect.stringContaining('MILLRACE_ZOOKEEPER_AUTH is not set'),
    });
  });

  test('is sent before any request', async () => {
    const operations: number[] = [];
    const authenticated = new Set<unknown>();
    const unauthenticated: number[] = [];
    const server = await openFakeZooKeeper((request) => {
      operations.push(request.operation);
      if (request.operation === OPERATIONS.auth) authenticated.add(request.socket);
      else if (!authenticated.has(request.socket)) unauthenticated.push(request.operation);
      request.answer(request.operation === OPERATIONS.auth ? 0 : NO_NODE, undefined, request.xid);
    });
    closers.push(() => server.close());

    await Promise.all([1, 2, 3].map(() => open(server.address, { auth: 'ada:s3cret' }).read('/a')));

    expect(operations.filter((operation) => operation === OPERATIONS.auth)).toHaveLength(3);
    expect(unauthenticated).toEqual([]);
  });
});

describe('a server that does not answer', () => {
  test('fails a write as unknown within the request timeout', async () => {
    const client = await clientOf(() => undefined);

    await expect(client.multi([{ op: 'delete', path: '/a' }])).rejects.toMatchObject({
      code: 'MILLRACE_OUTCOME_UNKNOWN',
      message: expect.stringContaining('no answer within 300 ms'),
    });
  });

  test('fails a read as lost, after a second connection', async () => {
    let requests = 0;
    const client = await clientOf(() => requests++);

    await expect(client.read('/a')).rejects.toMatchObject({ code: 'MILLRACE_CONNECTION_LOST', retry: 'backoff' });
    expect(requests).toBe(2);
  });

  test('is not what a slow one is: answers that keep coming keep all requests waiting', async () => {
    const due: FakeRequest[] = [];
    const client = await clientOf((request) => due.push(request));
    const timer = setInterval(() => due.shift()?.answer(NO_NODE), 100);
    closers.push(() => {
      clearInterval(timer);
      return Promise.resolve();
    });

    const reads = await Promise.all(Array.from({ length: 8 }, (_, i) => client.read(`/${i}`)));

    expect(reads).toEqual(Array.from({ length: 8 }, () => undefined));
  });

  test('that no one listens: a write was not sent', async () => {
    const server = await openFakeZooKeeper(() => undefined);
    await server.close();

    const failing = open(server.address, {}).multi([{ op: 'delete', path: '/a' }]);

    await expect(failing).rejects.toMatchObject({ code: 'MILLRACE_CONNECTION_LOST' });
    await expect(failing).rejects.toThrow(`no connection to ${server.address} within 300 ms`);
  });

  test('that takes connections and no session: the next server is asked', async () => {
    const answering = await openFakeZooKeeper((request) => request.answer(NO_NODE));
    closers.push(() => answering.close());
    const silent = createServer((socket) => closers.push(() => Promise.resolve(void socket.destroy()))).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    closers.push(() => new Promise((resolve) => silent.close(() => resolve())));
    const address = `127.0.0.1:${(silent.address() as { port: number }).port},${answering.address}`;

    // Whichever is asked first.
    for (let i = 0; i < 8; i++) await expect(open(address, {}).read('/a')).resolves.toBeUndefined();
  });
});

test('a closed client refuses what is asked of it, and closing again does nothing', async () => {
  const client = await clientOf((request) => request.answer(NO_NODE));
  await client.read('/a');
  await client.close();

  await expect(client.read('/a')).rejects.toMatchObject({ code: 'MILLRACE_CONNECTION_LOST' });
  await expect(client.close()).resolves.toBeUndefined();
});

test('closing while the first connection is made ends at once', async () => {
  const client = await clientOf(() => undefined);
  const reading = client.read('/a').catch((error: unknown) => error);
  await client.close();

  expect(await reading).toMatchObject({ code: 'MILLRACE_CONNECTION_LOST' });
});
