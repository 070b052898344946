import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** A request as it came: its number, what it asks for (ZooKeeper's operation code), and how to answer. */
export interface FakeRequest {
  readonly xid: number;
  readonly operation: number;
  readonly socket: Socket;
  /** Sends an answer with the server's code `error`; `xid` is the request's own unless given. */
  answer(error: number, body?: Buffer, xid?: number): void;
}

/** Codes of what is asked for. */
export const OPERATIONS = { auth: 100, closeSession: -11 } as const;

/**
 * Speaks as much of ZooKeeper's protocol as tests of a client's failures need: every session is taken and closed, `handle` does the rest.
 */
export async function openFakeZooKeeper(
  handle: (request: FakeRequest) => void,
): Promise<{ readonly address: string; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let buffer = Buffer.alloc(0);
    let isOpen = false;
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      buffer = Buffer.concat([buffer, data]);
      for (; buffer.length >= 4 && buffer.length >= 4 + buffer.readInt32BE(0); buffer = buffer.subarray(4 + buffer.readInt32BE(0))) {
        const message = buffer.subarray(4, 4 + buffer.readInt32BE(0));
        if (isOpen && message.readInt32BE(4) === OPERATIONS.closeSession) socket.destroy();
        else if (isOpen) handle(parseRequest(socket, message));
        else socket.write(withLength(connectResponse()));
        isOpen = true;
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function parseRequest(socket: Socket, message: Buffer): FakeRequest {
  const own = message.readInt32BE(0);
  return {
    xid: own,
    operation: message.readInt32BE(4),
    socket,
    answer: (error, body = Buffer.alloc(0), xid = own) => socket.write(withLength(Buffer.concat([replyHeader(xid, error), body]))),
  };
}

export function replyHeader(xid: number, error: number): Buffer {
  const header = Buffer.alloc(16);
  header.writeInt32BE(xid, 0);
  header.writeBigInt64BE(1n, 4);
  header.writeInt32BE(error, 12);
  return header;
}

/** Protocol 0, session timeout 10 s, session 1, a password of 16 bytes. */
function connectResponse(): Buffer {
  const response = Buffer.alloc(36);
  response.writeInt32BE(10_000, 4);
  response.writeBigInt64BE(1n, 8);
  response.writeInt32BE(16, 16);
  return response;
}

export function withLength(message: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(message.length);
  return Buffer.concat([length, message]);
}
