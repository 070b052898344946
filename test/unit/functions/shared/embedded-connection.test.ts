import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { EmbeddedConnection } from '../../../../functions/shared/embedded-connection.ts';
import { EMBEDDED_STATUS, encodeEnvelope, EnvelopeSplitter, type Envelope } from '../../../../functions/shared/embedded-wire.ts';

let folder: string;
let server: Server;
let connection: EmbeddedConnection;
/** How the server treats a request. */
let onRequest: (request: Envelope, socket: Socket) => void;
const sockets = new Set<Socket>();
let opened = 0;

const reply = (socket: Socket, id: number, body: string, status: number = EMBEDDED_STATUS.done): void => {
  socket.write(encodeEnvelope(id, status, Buffer.byteLength(body)));
  socket.write(body);
};
const echo = (request: Envelope, socket: Socket): void => reply(socket, request.id, request.body.toString());
const ask = (body = 'hello'): Promise<string> =>
  connection.request(1, Buffer.from(body), 'MILLRACE_OUTCOME_UNKNOWN').then((answer) => answer.toString());

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  opened = 0;
  onRequest = echo;
  server = createServer((socket) => {
    opened++;
    sockets.add(socket);
    const splitter = new EnvelopeSplitter();
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => splitter.push(chunk).forEach((request) => onRequest(request, socket)));
  });
  await new Promise<void>((resolve) => server.listen(join(folder, 'socket'), resolve));
  connection = new EmbeddedConnection(join(folder, 'socket'));
});
afterEach(async () => {
  await connection.close();
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

test('opens one connection, with the first request', async () => {
  expect(opened).toBe(0);

  await expect(Promise.all([ask('a'), ask('b')])).resolves.toEqual(['a', 'b']);
  expect(opened).toBe(1);
});

test('matches replies that come in another order', async () => {
  const waiting: (() => void)[] = [];
  onRequest = (request, socket) => {
    waiting.unshift(() => echo(request, socket));
    if (waiting.length === 3) waiting.forEach((answer) => answer());
  };

  await expect(Promise.all(['a', 'b', 'c'].map((body) => ask(body)))).resolves.toEqual(['a', 'b', 'c']);
});

test('carries empty and large bodies', async () => {
  const large = 'x'.repeat(3_000_000);

  expect(await ask('')).toBe('');
  expect((await ask(large)) === large).toBe(true);
});

test('also connects to loopback by port', async () => {
  const tcp = createServer((socket) => {
    const splitter = new EnvelopeSplitter();
    socket.on('data', (chunk: Buffer) => splitter.push(chunk).forEach((request) => echo(request, socket)));
  });
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  const { port } = tcp.address() as { port: number };
  const other = new EmbeddedConnection(`127.0.0.1:${port}`);

  expect((await other.request(1, Buffer.from('hi'), 'MILLRACE_CONNECTION_LOST')).toString()).toBe('hi');
  await other.close();
  tcp.close();
});

describe('errors', () => {
  test('of the server come back with their code', async () => {
    onRequest = ({ id }, socket) => reply(socket, id, '{"code":"MILLRACE_CONFLICT","message":"version 3"}', EMBEDDED_STATUS.failed);

    await expect(ask()).rejects.toMatchObject({ code: 'MILLRACE_CONFLICT', message: 'version 3' });
  });

  test('without a code, or with one that is not known, count as an outcome that is not known', async () => {
    for (const body of ['{"message":"disk full"}', '{"code":"OTHER","message":"disk full"}']) {
      onRequest = ({ id }, socket) => reply(socket, id, body, EMBEDDED_STATUS.failed);

      await expect(ask()).rejects.toMatchObject({ code: 'MILLRACE_OUTCOME_UNKNOWN', message: 'disk full' });
    }
  });

  test('that cannot be read leave nobody waiting', async () => {
    for (const body of ['{"code":', 'null', '{"code":"toString","message":7}']) {
      onRequest = ({ id }, socket) => reply(socket, id, body, EMBEDDED_STATUS.failed);

      await expect(ask()).rejects.toMatchObject({ code: 'MILLRACE_OUTCOME_UNKNOWN' });
    }
  });

  test('a loss fails everything that is pending; the next request connects again', async () => {
    onRequest = (_, socket) => socket.destroy();
    const outcomes = await Promise.allSettled([ask('a'), ask('b')]);
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.code)).toEqual(
      Array(2).fill('MILLRACE_OUTCOME_UNKNOWN'),
    );

    onRequest = echo;
    await expect(ask('c')).resolves.toBe('c');
    expect(opened).toBe(2);
  });

  test('nothing was carried out if there is no server at all', async () => {
    const lonely = new EmbeddedConnection(join(folder, 'nobody'));

    await expect(lonely.request(1, Buffer.alloc(0), 'MILLRACE_OUTCOME_UNKNOWN')).rejects.toMatchObject({
      code: 'MILLRACE_CONNECTION_LOST',
    });
  });

  test('a server that speaks something else is hung up on', async () => {
    onRequest = (_, socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');

    await expect(ask()).rejects.toMatchObject({ code: 'MILLRACE_OUTCOME_UNKNOWN' });
  });

  test('after close requests are refused', async () => {
    await ask();
    await connection.close();

    await expect(ask()).rejects.toMatchObject({ code: 'MILLRACE_CONNECTION_LOST' });
  });
});

test('a splitter finds the same messages however the bytes are cut', () => {
  const bodies = ['', 'a', 'bb', 'c'.repeat(300)];
  const stream = Buffer.concat(bodies.flatMap((body, i) => [encodeEnvelope(i, i, body.length), Buffer.from(body)]));

  for (let size = 1; size < 40; size++) {
    const splitter = new EnvelopeSplitter();
    const found: Envelope[] = [];
    for (let at = 0; at < stream.length; at += size) found.push(...splitter.push(stream.subarray(at, at + size)));
    expect(found.map(({ id, kind, body }) => [id, kind, body.toString()])).toEqual(bodies.map((body, i) => [i, i, body]));
  }
});
