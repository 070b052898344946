/** Starting and ending of servers in general, on small programs in the place of Kafka. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { canConnect, findFreePorts } from './ports.ts';
import { Server, type ServerDefinition } from './server.ts';

let root: string;
let server: Server;
let port: number;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'millrace-server-'));
  port = await findFreePorts(1);
});
afterEach(async () => {
  await server.kill();
  rmSync(root, { recursive: true, force: true });
});

const listening = (): string => `require('net').createServer().listen(${port}, '127.0.0.1', () => console.log('up'));`;

/** A server that runs `script` with Node. */
function serverOf(script: string, changes: Partial<ServerDefinition> = {}): Server {
  server = new Server({
    title: 'Example 1.0',
    folder: join(root, 'example'),
    ports: [port],
    address: `127.0.0.1:${port}`,
    features: [],
    prepare: () => Promise.resolve([process.execPath, '-e', script]),
    afterStop: () => undefined,
    isReady: (log) => Promise.resolve(log.includes('up')),
    ...changes,
  });
  return server;
}

test('starts once, answers, and is gone after stop', async () => {
  expect(await serverOf(listening()).start()).toBe(true);
  expect(await server.start()).toBe(false);
  expect(server).toMatchObject({ isRunning: true, isLost: false });
  expect(await canConnect(port)).toBe(true);

  await server.stop();

  expect(server).toMatchObject({ isRunning: false, isLost: false });
  expect(await canConnect(port)).toBe(false);
});

test('is seen and stopped by another object for the same folder, as by another process', async () => {
  await serverOf(listening()).start();
  const other = new Server(server.definition);

  expect(other.record).toMatchObject({ title: 'Example 1.0', address: `127.0.0.1:${port}` });
  await other.stop();
  expect(server.isRunning).toBe(false);
});

test('starts again on the same port after a kill', async () => {
  await serverOf(listening()).start();
  const first = server.record?.process;

  await server.kill();
  expect(server.isRunning).toBe(false);
  await server.start();

  expect(server.record?.process).not.toEqual(first);
  expect(await canConnect(port)).toBe(true);
});

test('restart stops it in peace first', async () => {
  const trace = join(root, 'trace');
  await serverOf(
    `${listening()} process.on('SIGTERM', () => { require('fs').appendFileSync('${trace}', 'bye '); process.exit(); });`,
  ).start();

  await server.restart();

  expect(readFileSync(trace, 'utf8')).toBe('bye ');
  expect(server.isRunning).toBe(true);
});

test('is lost when somebody else kills it', async () => {
  await serverOf(listening()).start();
  process.kill(server.record?.process.pid ?? 0, 'SIGKILL');
  for (; server.isRunning;) await new Promise((resolve) => setImmediate(resolve));

  expect(server.isLost).toBe(true);
});

test('does not answer while paused, and does after resume', async () => {
  const script = `require('net').createServer((socket) => socket.end('hello')).listen(${port}, '127.0.0.1', () => console.log('up'));`;
  await serverOf(script).start();
  const stateOf = (): string | undefined => /\) (\w)/.exec(readFileSync(`/proc/${server.record?.process.pid ?? 0}/stat`, 'utf8'))?.[1];

  server.pause();
  for (; stateOf() !== 'T';) await new Promise((resolve) => setImmediate(resolve));
  server.resume();

  for (; stateOf() === 'T';) await new Promise((resolve) => setImmediate(resolve));
  expect(await canConnect(port)).toBe(true);
});

test('stop ends one that is paused', async () => {
  await serverOf(listening()).start();
  server.pause();

  await server.stop();

  expect(server.isRunning).toBe(false);
});

test('pause needs one that runs', () => {
  expect(() => serverOf(listening()).pause()).toThrow(expect.objectContaining({ code: 'NOT_RUNNING' }));
});

test('says what it logged last when it ends at its start', async () => {
  const failure = serverOf(`console.log('no such option'); process.exit(3);`).start();

  await expect(failure).rejects.toMatchObject({
    code: 'SERVER_DIED',
    message: expect.stringMatching(/Example 1\.0 ended at its start[^]*no such option/),
  });
});

test('takes no port that another program has, and no process of its own then', async () => {
  await serverOf(listening()).start();
  const rival = new Server({ ...server.definition, folder: join(root, 'rival') });

  await expect(rival.start()).rejects.toMatchObject({ code: 'PORT_IN_USE', message: expect.stringContaining(`port ${port} `) });
  expect(rival.isRunning).toBe(false);
});

test('remove stops it and leaves no folder', async () => {
  await serverOf(listening()).start();
  writeFileSync(join(server.definition.folder, 'data'), 'x');

  await server.remove();

  expect(existsSync(server.definition.folder)).toBe(false);
});
