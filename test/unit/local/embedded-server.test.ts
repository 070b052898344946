import { existsSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ChannelWriter } from '../../../functions/channels/channel-writer.ts';
import { openEmbeddedChannelWriter } from '../../../functions/channels/embedded/channel-writer.ts';
import { EmbeddedConnection } from '../../../functions/shared/embedded-connection.ts';
import { openEmbeddedStateBackend } from '../../../functions/state/embedded/state-backend.ts';
import { MemoryStateBackend } from '../../../functions/state/memory/memory-state-backend.ts';
import { openEmbeddedServer, type EmbeddedServer } from '../../../local/embedded-server.ts';
import { EmbeddedLog } from '../../../local/log/embedded-log.ts';

let log: EmbeddedLog;
let state: MemoryStateBackend;
let server: EmbeddedServer;
let writer: ChannelWriter;
const message = (bytes: number) => [{ key: null, value: new Uint8Array(bytes) }];

beforeEach(async () => {
  log = new EmbeddedLog({ limits: { maxLeadBytes: 1000, retentionBytes: 1000 } });
  log.createTopic('t', 2);
  log.subscribe('g', 't');
  state = new MemoryStateBackend();
  server = await openEmbeddedServer(log, state);
  writer = openEmbeddedChannelWriter(server.address);
});
afterEach(async () => {
  await writer.close();
  await server.close();
  await log.close();
});

test('its socket lies in a folder that only this user can enter, and is gone afterwards', async () => {
  expect(statSync(dirname(server.address)).mode & 0o777).toBe(0o700);

  await server.close();
  expect(existsSync(dirname(server.address))).toBe(false);
});

test('an append that is held back holds back no other request of its connection', async () => {
  await writer.append('t', 0, message(2000));
  let isAppended = false;
  const held = writer.append('t', 0, message(1)).then(() => (isAppended = true));
  await writer.append('t', 1, message(1));
  expect(isAppended).toBe(false);

  log.commit('g', 't', 0, 1);
  await held;
  expect(log.endOffset('t', 0)).toBe(2);
});

test('appends of one connection to one partition keep their order', async () => {
  const appends = Array.from({ length: 40 }, (_, i) => writer.append('t', 0, message(i)));
  for (let end = 0; end < 40; end = log.endOffset('t', 0)) {
    log.commit('g', 't', 0, end);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(appends);

  expect(log.read('t', 0, 39, { maxRecords: 1, maxBytes: 1e6 })[0]?.value).toHaveLength(39);
});

test('several functions see one state', async () => {
  const [a, b] = [openEmbeddedStateBackend(server.address), openEmbeddedStateBackend(server.address)];
  await a.multi([{ op: 'create', path: '/x', data: Uint8Array.of(1) }]);

  expect([...((await b.read('/x'))?.data ?? [])]).toEqual([1]);
  await Promise.all([a.close(), b.close()]);
});

test('an operation that is not known is an error; the connection lives on', async () => {
  const connection = new EmbeddedConnection(server.address);
  await expect(connection.request(99, Buffer.alloc(0), 'MILLRACE_CONNECTION_LOST')).rejects.toThrow('another version');
  await expect(connection.request(1, Buffer.from('garbage'), 'MILLRACE_CONNECTION_LOST')).rejects.toThrow();

  const body = Buffer.from('\u0001\0\0\0t');
  expect((await connection.request(2, body, 'MILLRACE_CONNECTION_LOST')).readUInt32LE()).toBe(2);
  await connection.close();
});

test('hangs up on whoever speaks something else', async () => {
  const socket = connect(server.address);
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');

  await once(socket, 'close');
});
