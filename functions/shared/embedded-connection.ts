import { connect, type Socket } from 'node:net';
import { EMBEDDED_STATUS, EnvelopeSplitter, encodeEnvelope, type Envelope } from './embedded-wire.ts';
import { ERROR_CODES, MillraceError, type ErrorCode } from './errors.ts';

interface Pending {
  readonly resolve: (body: Buffer) => void;
  readonly reject: (error: MillraceError) => void;
  /** Code of the error if the connection ends before the reply. */
  readonly ifLost: ErrorCode;
}

/**
 * A connection from a function to the harness: a Unix socket's path, or `127.0.0.1:port`. Opened by the first request and again by
 * the first one after a loss; requests share it and are told apart by id. It keeps the process alive only while a reply is due.
 */
export class EmbeddedConnection {
  private readonly address: string;
  private readonly pending = new Map<number, Pending>();
  private socket: Socket | undefined;
  private nextId = 1;
  private isClosed = false;

  constructor(address: string) {
    this.address = address;
  }

  /**
   * Sends one request; resolves with the body of its reply.
   *
   * @throws the server's error with its code; `ifLost` if the connection ends first, since the request may have been carried out.
   */
  request(operation: number, body: Buffer, ifLost: ErrorCode): Promise<Buffer> {
    if (this.isClosed) return Promise.reject(new MillraceError('MILLRACE_CONNECTION_LOST', 'this connection was closed'));
    const id = this.nextId;
    this.nextId = (this.nextId % 0xffffffff) + 1;
    return new Promise((resolve, reject) => {
      const socket = (this.socket ??= this.open());
      if (this.pending.size === 0) socket.ref();
      this.pending.set(id, { resolve, reject, ifLost });
      socket.cork();
      socket.write(encodeEnvelope(id, operation, body.length));
      socket.write(body);
      socket.uncork();
    });
  }

  /** Ends the connection; what is pending fails as lost. */
  async close(): Promise<void> {
    this.isClosed = true;
    const socket = this.socket;
    if (!socket) return;
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      socket.destroy();
    });
  }

  private open(): Socket {
    const tcp = /^(127\.0\.0\.1|localhost|\[::1\]):(\d+)$/.exec(this.address);
    const socket = tcp ? connect(Number(tcp[2]), tcp[1]?.replace(/[[\]]/g, '')) : connect(this.address);
    const splitter = new EnvelopeSplitter();
    let cause: unknown;
    let connected = false;
    socket.setNoDelay(true);
    socket.on('connect', () => (connected = true));
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const reply of splitter.push(chunk)) this.settle(reply);
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    socket.on('error', (error) => (cause = error));
    socket.on('close', () => this.lose(socket, connected, cause));
    return socket;
  }

  private settle(reply: Envelope): void {
    const request = this.pending.get(reply.id);
    if (!request) return;
    this.pending.delete(reply.id);
    if (this.pending.size === 0) this.socket?.unref();
    if (reply.kind === EMBEDDED_STATUS.done) request.resolve(reply.body);
    else request.reject(parseError(reply.body, request.ifLost));
  }

  /** Fails what is pending. Without a connection not a byte has left this process, so nothing can have been carried out. */
  private lose(socket: Socket, connected: boolean, cause: unknown): void {
    if (this.socket === socket) this.socket = undefined;
    const lost = [...this.pending.values()];
    this.pending.clear();
    const why = cause instanceof Error ? cause.message : 'it was closed';
    for (const request of lost) {
      const code = connected ? request.ifLost : 'MILLRACE_CONNECTION_LOST';
      request.reject(new MillraceError(code, `the connection to the harness at ${this.address} was lost: ${why}`, { cause }));
    }
  }
}

/** The error of a failed reply. One without a known code is a failure inside the harness: `fallback`. Never throws: somebody waits for it. */
export function parseError(body: Buffer, fallback: ErrorCode): MillraceError {
  let failure: { readonly code?: unknown; readonly message?: unknown } | null;
  try {
    failure = JSON.parse(body.toString()) as typeof failure;
  } catch (cause) {
    return new MillraceError(fallback, `the harness failed, and its error of ${body.length} bytes cannot be read`, { cause });
  }
  const { code, message } = failure ?? {};
  const known = typeof code === 'string' && Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : fallback;
  return new MillraceError(known, typeof message === 'string' ? message : 'the harness failed');
}
