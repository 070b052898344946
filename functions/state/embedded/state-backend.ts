import { checkNodeSizes, NODE_LIMITS } from '../../coordination/node-sizes.ts';
import { EmbeddedConnection } from '../../shared/embedded-connection.ts';
import { BodyWriter, EMBEDDED_OPERATIONS, textBytes } from '../../shared/embedded-wire.ts';
import type { StateBackend, StateNode, StateOp } from '../state-backend.ts';
import { decodeNames, decodeNode, encodeStateOps } from './state-layout.ts';

/** The embedded state store's client. `address`: see `EmbeddedConnection`; nothing is opened before the first call. */
export function openEmbeddedStateBackend(address: string): StateBackend {
  return new EmbeddedStateBackend(new EmbeddedConnection(address));
}

class EmbeddedStateBackend implements StateBackend {
  readonly limits = NODE_LIMITS;
  private readonly connection: EmbeddedConnection;

  constructor(connection: EmbeddedConnection) {
    this.connection = connection;
  }

  async read(path: string): Promise<StateNode | undefined> {
    return decodeNode(await this.ask(EMBEDDED_OPERATIONS.read, path));
  }

  async multi(ops: readonly StateOp[]): Promise<void> {
    checkNodeSizes(ops);
    await this.connection.request(EMBEDDED_OPERATIONS.multi, encodeStateOps(ops), 'MILLRACE_OUTCOME_UNKNOWN');
  }

  async list(path: string): Promise<readonly string[]> {
    return decodeNames(await this.ask(EMBEDDED_OPERATIONS.list, path));
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  private ask(operation: number, path: string): Promise<Buffer> {
    const body = new BodyWriter(textBytes(path)).text(path).buffer;
    return this.connection.request(operation, body, 'MILLRACE_CONNECTION_LOST');
  }
}
