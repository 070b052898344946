/**
 * What we use of node-zookeeper-client, with types that say what it really does. The members of `connectionManager` are no public API:
 * the version is pinned, and test/services/zookeeper-library.test.ts holds each defect that we work around.
 */
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import library from 'node-zookeeper-client';

/** One client of the library. It would connect again by itself for ever; `Connection` allows it one connection. */
export interface LibraryClient extends EventEmitter {
  readonly connectionManager: {
    /** Called by the library after a loss, too. */
    connect: () => void;
    onSocketData: (data: Buffer) => void;
    /** Undefined until the tick after `connect`. */
    readonly socket?: Socket;
    readonly connectTimeoutHandler?: NodeJS.Timeout;
    /** Newest change that an answer has shown. */
    zxid: Buffer;
  };
  connect(): void;
  /** Ends the session in order. */
  close(): void;
  addAuthInfo(scheme: 'digest', auth: Buffer): void;
  getSessionId(): Buffer;
  getSessionPassword(): Buffer;
  /** As the server has granted it, in ms. */
  getSessionTimeout(): number;
  getData(path: string, done: (error: Failed, data: Buffer | undefined, stat: LibraryStat) => void): void;
  exists(path: string, done: (error: Failed, stat: LibraryStat | null) => void): void;
  exists(path: string, watcher: () => void, done: (error: Failed, stat: LibraryStat | null) => void): void;
  getChildren(path: string, done: (error: Failed, names: readonly string[] | undefined) => void): void;
  getChildren(path: string, watcher: () => void, done: (error: Failed, names: readonly string[] | undefined) => void): void;
  create(path: string, data: Buffer, acl: LibraryAcl, mode: number, done: (error: Failed, path: string) => void): void;
  transaction(): LibraryTransaction;
}

/** Something went wrong; an instance of the library's `Exception` where the server or the connection said so. */
export type Failed = (Error & { readonly code?: number }) | null | undefined;

export interface LibraryStat {
  readonly version: number;
  readonly czxid: Buffer;
}

export interface LibraryTransaction {
  /** In order. The builders turn version 0 into -1, "any": it has to be put in here. */
  readonly ops: { version: number }[];
  create(path: string, data: Buffer, acl: LibraryAcl): void;
  setData(path: string, data: Buffer, version: number): void;
  check(path: string, version: number): void;
  remove(path: string): void;
  /** `results` has an entry an operation; `err` is 0 for those before the one that failed. */
  commit(done: (error: Failed, results: readonly { readonly err?: number }[] | undefined) => void): void;
}

export interface LibraryAcl {
  readonly __acl: never;
}

interface LibraryOptions {
  readonly sessionTimeout: number;
  readonly sessionId?: Buffer;
  readonly sessionPassword?: Buffer;
}

const { createClient, ACL } = library as unknown as {
  readonly createClient: (server: string, options: LibraryOptions) => LibraryClient;
  readonly ACL: { readonly CREATOR_ALL_ACL: LibraryAcl; readonly OPEN_ACL_UNSAFE: LibraryAcl };
};

/** A client that is not connected yet. */
export function createLibraryClient(server: string, options: LibraryOptions): LibraryClient {
  return createClient(server, options);
}

/** For what we create: all to its creator, or all to everybody where we have no name. */
export function aclOf(auth: string | undefined): LibraryAcl {
  return auth === undefined ? ACL.OPEN_ACL_UNSAFE : ACL.CREATOR_ALL_ACL;
}

/** The server's codes that we tell apart. */
export const ZOOKEEPER_CODES = {
  connectionLoss: -4,
  badArguments: -8,
  noNode: -101,
  noAuth: -102,
  badVersion: -103,
  noChildrenForEphemerals: -108,
  nodeExists: -110,
  notEmpty: -111,
  sessionExpired: -112,
  invalidAcl: -114,
  authFailed: -115,
} as const;

/** Ways to create a node, by whether it is ephemeral and sequential. */
export function createMode({
  ephemeral = false,
  sequential = false,
}: {
  readonly ephemeral?: boolean;
  readonly sequential?: boolean;
}): number {
  return (ephemeral ? 1 : 0) + (sequential ? 2 : 0);
}
