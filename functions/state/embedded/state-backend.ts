import { EmbeddedConnection } from '../../shared/embedded-connection.ts';
import { BodyReader, BodyWriter, EMBEDDED_OPERATIONS, textBytes } from '../../shared/embedded-wire.ts';
import { MillraceError } from '../../shared/errors.ts';
import type { StateBackend, StateNode, StateOp } from '../state-backend.ts';
import { encodeStateOps } from './state-layout.ts';

/** ZooKeeper's limits, so that what fits here fits there. */
const LIMITS = { nodeBytes: 1_000_000, multiBytes: 1_000_000 };

/** The embedded state store's client. `address`: see `EmbeddedConnection`; nothing is opened before the first call. */
export function openEmbeddedStateBackend(address: string): StateBackend {
  return new EmbeddedStateBackend(new EmbeddedConnection(address));
}

class EmbeddedStateBackend implements StateBackend {
  readonly limits = LIMITS;
  private readonly connection: EmbeddedConnection;

  constructor(connection: EmbeddedConnection) {
    this.connection = connection;
  }

  async read(path: string): Promise<StateNode | undefined> {
    const reply = await this.ask(EMBEDDED_OPERATIONS.read, path);
    if (reply.u8() === 0) return undefined;
    const version = reply.u32();
    const created = reply.text();
    // A copy: the view would keep the whole chunk of the socket alive as long as the state is cached.
    return { version, created, data: new Uint8Array(reply.rest()) };
  }

  async multi(ops: readonly StateOp[]): Promise<void> {
    checkSizes(ops);
    await this.connection.request(EMBEDDED_OPERATIONS.multi, encodeStateOps(ops), 'MILLRACE_OUTCOME_UNKNOWN');
  }

  async list(path: string): Promise<readonly string[]> {
    const reply = await this.ask(EMBEDDED_OPERATIONS.list, path);
    return Array.from({ length: reply.u32() }, () => reply.text());
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  private async ask(operation: number, path: string): Promise<BodyReader> {
    const body = new BodyWriter(textBytes(path)).text(path).buffer;
    return new BodyReader(await this.connection.request(operation, body, 'MILLRACE_CONNECTION_LOST'));
  }
}

/** Refuses here what the store would refuse, so that "nothing was sent" is true. */
function checkSizes(ops: readonly StateOp[]): void {
  let total = 0;
  for (const op of ops) {
    if (op.op !== 'create' && op.op !== 'set') continue;
    total += op.data.length;
    if (op.data.length > LIMITS.nodeBytes || total > LIMITS.multiBytes)
      throw new MillraceError('MILLRACE_NODE_TOO_LARGE', `${op.path}: ${total} bytes in one write, at most ${LIMITS.multiBytes}`);
  }
}
