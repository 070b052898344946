import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import {
  BodyReader,
  BodyWriter,
  EMBEDDED_OPERATIONS,
  EMBEDDED_STATUS,
  encodeEnvelope,
  EnvelopeSplitter,
  textBytes,
  type Envelope,
} from '../functions/shared/embedded-wire.ts';
import { isMillraceError, MillraceError } from '../functions/shared/errors.ts';
import { decodeTransaction } from '../functions/channels/embedded/transaction-layout.ts';
import { decodeStateOps } from '../functions/state/embedded/state-layout.ts';
import type { StateBackend } from '../functions/state/state-backend.ts';
import type { EmbeddedLog } from './log/embedded-log.ts';
import { toEncodedBatch } from './log/message-batch.ts';

const NOTHING = Buffer.alloc(0);

/** Serves the harness's log and state store to functions: what `MILLRACE_EMBEDDED` points at. */
export interface EmbeddedServer {
  /** Path of a Unix socket in a folder that only this user can enter; on Windows a named pipe is used instead. */
  readonly address: string;
  /** Ends every connection and removes the socket. */
  close(): Promise<void>;
}

export async function openEmbeddedServer(log: EmbeddedLog, state: StateBackend): Promise<EmbeddedServer> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-'));
  const address = process.platform === 'win32' ? `\\\\.\\pipe\\${folder.replace(/[:\\]/g, '-')}` : join(folder, 'socket');
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serve(socket, log, state);
  });
  const removeFolder = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', removeFolder); // a second interrupt ends the process at once
  server.listen(address);
  await once(server, 'listening');
  return {
    address,
    close: async () => {
      await closeServer(server, sockets);
      removeFolder();
      process.off('exit', removeFolder);
    },
  };
}

async function closeServer(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
}

/** Answers the requests of one connection; an append that is held back does not hold back the requests behind it. */
function serve(socket: Socket, log: EmbeddedLog, state: StateBackend): void {
  const splitter = new EnvelopeSplitter();
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const request of splitter.push(chunk)) void answer(socket, request, log, state);
    } catch {
      socket.destroy(); // not our protocol
    }
  });
}

async function answer(socket: Socket, request: Envelope, log: EmbeddedLog, state: StateBackend): Promise<void> {
  let status: number = EMBEDDED_STATUS.done;
  let body: Buffer;
  try {
    body = await perform(request, log, state);
  } catch (error) {
    status = EMBEDDED_STATUS.failed;
    body = encodeError(error);
  }
  if (socket.destroyed) return;
  socket.cork();
  socket.write(encodeEnvelope(request.id, status, body.length));
  if (body.length > 0) socket.write(body);
  socket.uncork();
}

function perform({ kind, body }: Envelope, log: EmbeddedLog, state: StateBackend): Promise<Buffer> {
  switch (kind) {
    case EMBEDDED_OPERATIONS.append:
      return performAppend(new BodyReader(body), log);
    case EMBEDDED_OPERATIONS.partitionCount:
      return performCount(new BodyReader(body), log);
    case EMBEDDED_OPERATIONS.read:
      return performRead(new BodyReader(body), state);
    case EMBEDDED_OPERATIONS.multi:
      return state.multi(decodeStateOps(body)).then(() => NOTHING);
    case EMBEDDED_OPERATIONS.list:
      return performList(new BodyReader(body), state);
    case EMBEDDED_OPERATIONS.openProducer:
      return performOpenProducer(new BodyReader(body), log);
    case EMBEDDED_OPERATIONS.transact:
      return performTransaction(body, log);
    default:
      throw new MillraceError('MILLRACE_CONNECTION_LOST', `operation ${kind} is not known: the bundle is of another version of Millrace`);
  }
}

async function performAppend(request: BodyReader, log: EmbeddedLog): Promise<Buffer> {
  const [topic, partition, count] = [request.text(), request.u32(), request.u32()];
  await log.appendBatch(topic, partition, toEncodedBatch(count, request.rest()));
  return NOTHING;
}

async function performCount(request: BodyReader, log: EmbeddedLog): Promise<Buffer> {
  return new BodyWriter(4).u32(await log.partitionCount(request.text())).buffer;
}

// Async, so that what they throw is answered.
async function performOpenProducer(request: BodyReader, log: EmbeddedLog): Promise<Buffer> {
  const { epoch, committed } = log.transactions.openProducer(request.text(), request.text(), request.u32());
  const text = committed === undefined ? '' : String(committed);
  return new BodyWriter(4 + textBytes(text)).u32(epoch).text(text).buffer;
}

async function performTransaction(body: Buffer, log: EmbeddedLog): Promise<Buffer> {
  log.transactions.commit(decodeTransaction(body));
  return NOTHING;
}

async function performRead(request: BodyReader, state: StateBackend): Promise<Buffer> {
  const node = await state.read(request.text());
  if (!node) return new BodyWriter(1).u8(0).buffer;
  const reply = new BodyWriter(5 + textBytes(node.created) + node.data.length).u8(1).u32(node.version).text(node.created);
  reply.buffer.set(node.data, reply.skip(node.data.length));
  return reply.buffer;
}

async function performList(request: BodyReader, state: StateBackend): Promise<Buffer> {
  const names = await state.list(request.text());
  const reply = new BodyWriter(names.reduce((bytes, name) => bytes + textBytes(name), 4)).u32(names.length);
  for (const name of names) reply.text(name);
  return reply.buffer;
}

function encodeError(error: unknown): Buffer {
  const message = error instanceof Error ? error.message : String(error);
  return Buffer.from(JSON.stringify(isMillraceError(error) ? { code: error.code, message } : { message }));
}
