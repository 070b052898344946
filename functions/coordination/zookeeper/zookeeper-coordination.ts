import { MillraceError } from '../../shared/errors.ts';
import type { Coordination, NodeOp, SessionEvent, VersionedNode } from '../coordination.ts';
import { isNodePath, type ZooKeeperConfig } from './config.ts';
import type { Done } from './connection.ts';
import { aclOf, createMode, type LibraryAcl, type LibraryClient, ZOOKEEPER_CODES } from './library.ts';
import { type SessionRequest, ZooKeeperSession } from './session.ts';
import { createTransaction, TransactionFailure } from './transaction.ts';
import { WatchList } from './watch-list.ts';
import { serverCode, toMillraceError } from './zookeeper-error.ts';

/**
 * Below the server's `jute.maxbuffer` of 1,048,575 bytes for a whole request, at which it drops the connection and everything that is
 * under way on it. What is left is for paths and access lists.
 */
const LIMITS = { nodeBytes: 1_000_000, multiBytes: 1_000_000 };
const REQUEST_BYTES = 1_040_000;
/** Header, access list, version and lengths of one operation: an upper bound. */
const OP_BYTES = 100;

const NO_DATA = new Uint8Array();

/** A real ZooKeeper, through `node-zookeeper-client`. Nothing connects before the first call. */
export function openZooKeeperCoordination(config: ZooKeeperConfig): Coordination {
  return new ZooKeeperCoordination(config);
}

/**
 * `list` is limited by memory alone here, but servers and ZooKeeper's own tools stop at answers of 1 MB: about 30,000 names of our length.
 */
class ZooKeeperCoordination implements Coordination {
  readonly limits = LIMITS;
  private readonly session: ZooKeeperSession;
  private readonly watches: WatchList;
  private readonly auth: string | undefined;
  private readonly chroot: string;
  private readonly acl: LibraryAcl;

  constructor(config: ZooKeeperConfig) {
    this.auth = config.auth;
    this.chroot = config.chroot;
    this.acl = aclOf(config.auth);
    this.session = new ZooKeeperSession(config, Math.random);
    this.watches = new WatchList(this.session);
  }

  async read(path: string): Promise<VersionedNode | undefined> {
    try {
      return await this.readOne('read', path, (client, done: Done<VersionedNode>) =>
        client.getData(path, (error, data, stat) => {
          if (error) done(error, undefined as never);
          else done(null, { data: data ?? NO_DATA, version: stat.version, created: stat.czxid.toString('hex') });
        }),
      );
    } catch (error) {
      if (serverCode(error) === ZOOKEEPER_CODES.noNode) return undefined;
      throw this.toError(error, 'read', path, false);
    }
  }

  async list(path: string): Promise<readonly string[]> {
    try {
      const names = await this.readOne('list', path, (client, done: Done<readonly string[] | undefined>) => client.getChildren(path, done));
      return [...(names ?? [])].sort();
    } catch (error) {
      if (serverCode(error) === ZOOKEEPER_CODES.noNode) return [];
      throw this.toError(error, 'list', path, false);
    }
  }

  async multi(ops: readonly NodeOp[]): Promise<void> {
    if (ops.length === 0) return;
    for (const { path } of ops) checkPath(path);
    checkSizes(ops, this.chroot);
    const commit = (): Promise<undefined> =>
      this.session.write({ ...describe(ops), issue: (client, done) => createTransaction(client, ops, this.acl, done) });
    try {
      await this.withParents(commit, (error) => {
        const failed = error instanceof TransactionFailure && error.code === ZOOKEEPER_CODES.noNode ? error.op : undefined;
        return failed?.op === 'create' ? failed.path : undefined;
      });
    } catch (error) {
      const { op, path } = error instanceof TransactionFailure ? error.op : { op: describe(ops).verb, path: describe(ops).path };
      throw this.toError(error, op, path, true);
    }
  }

  async create(path: string, data: Uint8Array, kind: { readonly ephemeral?: boolean; readonly sequential?: boolean }): Promise<string> {
    checkPath(path);
    checkSizes([{ op: 'create', path, data }], this.chroot);
    const request: SessionRequest<string> = {
      verb: 'create',
      path,
      issue: (client, done) => client.create(path, toBuffer(data), this.acl, createMode(kind), done),
    };
    try {
      return await this.withParents(
        () => this.session.write(request),
        (error) => (serverCode(error) === ZOOKEEPER_CODES.noNode ? path : undefined),
      );
    } catch (error) {
      throw this.toError(error, 'create', path, true);
    }
  }

  async watch(path: string, onChange: () => void): Promise<() => void> {
    checkPath(path);
    try {
      return await this.watches.add(path, onChange);
    } catch (error) {
      throw this.toError(error, 'watch', path, false);
    }
  }

  onSession(listener: (event: SessionEvent) => void): () => void {
    return this.session.onEvent(listener);
  }

  close(): Promise<void> {
    this.watches.clear();
    return this.session.close();
  }

  private async readOne<T>(verb: string, path: string, issue: SessionRequest<T>['issue']): Promise<T> {
    checkPath(path);
    return this.session.read({ verb, path, issue });
  }

  /** Runs `write`, and once more for each node whose parents were found missing (`orphan` says which) after making them. */
  private async withParents<T>(write: () => Promise<T>, orphan: (error: unknown) => string | undefined): Promise<T> {
    for (let last: string | undefined; ;) {
      try {
        return await write();
      } catch (error) {
        const path = orphan(error);
        if (path === undefined || path === last) throw error;
        last = path;
        await this.createParents(path);
      }
    }
  }

  /**
   * From the deepest ancestor that is there: an access list above us may forbid to create what exists already. Others may do the same at
   * the same time.
   */
  private async createParents(path: string): Promise<void> {
    const missing: string[] = [];
    for (let parent = parentOf(path); parent !== '' && !(await this.exists(parent)); parent = parentOf(parent)) missing.push(parent);
    for (const parent of missing.reverse()) {
      const issue: SessionRequest<string>['issue'] = (client, done) => client.create(parent, toBuffer(NO_DATA), this.acl, 0, done);
      try {
        await this.session.write({ verb: 'create', path: parent, issue });
      } catch (error) {
        if (serverCode(error) !== ZOOKEEPER_CODES.nodeExists) throw this.toError(error, 'create', parent, true);
      }
    }
  }

  private async exists(path: string): Promise<boolean> {
    const issue = (client: LibraryClient, done: Done<unknown>): void => client.exists(path, done);
    return (await this.session.read({ verb: 'look for', path, issue })) !== null;
  }

  private toError(error: unknown, verb: string, path: string, isWrite: boolean): MillraceError {
    return toMillraceError(error, { verb, path: this.chroot + path, isWrite, auth: this.auth });
  }
}

function describe(ops: readonly NodeOp[]): { verb: string; path: string } {
  const [first] = ops;
  return { verb: first?.op ?? '', path: first?.path ?? '' };
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function toBuffer(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

/** The library throws out of the call for some paths, and sends others that the server refuses. */
function checkPath(path: string): void {
  if (isNodePath(path)) return;
  throw new MillraceError('MILLRACE_OPTION_INVALID', `ZooKeeper takes no path ${JSON.stringify(path)}; give one such as /a/b`);
}

/** Refuses here what the server would drop the connection for. */
function checkSizes(ops: readonly NodeOp[], chroot: string): void {
  let payload = 0;
  let request = 0;
  for (const op of ops) {
    const bytes = 'data' in op ? op.data.length : 0;
    payload += bytes;
    request += bytes + OP_BYTES + Buffer.byteLength(chroot) + Buffer.byteLength(op.path);
    if (bytes <= LIMITS.nodeBytes && payload <= LIMITS.multiBytes && request <= REQUEST_BYTES) continue;
    throw new MillraceError(
      'MILLRACE_NODE_TOO_LARGE',
      `${op.path}: ${payload} bytes in one write, at most ${LIMITS.multiBytes}, and ${request} with paths, at most ${REQUEST_BYTES}`,
    );
  }
}
