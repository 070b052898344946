import { setTimeout as sleep } from 'node:timers/promises';
import { MillraceError } from '../../shared/errors.ts';
import type { SessionEvent } from '../coordination.ts';
import { userOf, type ZooKeeperConfig } from './config.ts';
import { Connection, ConnectionEnd, type Done, type EndKind, type SessionIdentity } from './connection.ts';
import type { LibraryClient } from './library.ts';

/** A request: what it does at which path, for messages, and how the library is asked. */
export interface SessionRequest<T> {
  readonly verb: string;
  readonly path: string;
  issue(client: LibraryClient, done: Done<T>): void;
}

/** Connections that a read is tried on: one that turns out to be dead, and the next. */
const READ_ATTEMPTS = 2;
/** Waits between rounds through all servers, in ms. */
const FIRST_WAIT = 20;
const LONGEST_WAIT = 1000;

/**
 * Keeps a session alive over one connection after another, and begins a new one after it has expired. Nothing connects before the first
 * request; from then on a lost connection is replaced at once, so that the session and its ephemeral nodes outlive it.
 *
 * After a request without an answer the server is taken for stalled: the connection ends, the same session goes on at the next server.
 * A new session would say the same to the ensemble, and lose the ephemeral nodes.
 */
export class ZooKeeperSession {
  private readonly config: ZooKeeperConfig;
  private readonly listeners = new Set<(event: SessionEvent) => void>();
  private current: Connection | undefined;
  private connecting: Promise<Connection> | undefined;
  private identity: SessionIdentity | undefined;
  private nextServer: number;
  private hasChroot: boolean;
  /** A connection that is not open yet. */
  private dialing: Connection | undefined;
  private readonly closing = new AbortController();

  /** `random` (in [0, 1)) spreads clients over the servers. */
  constructor(config: ZooKeeperConfig, random: () => number) {
    this.config = config;
    this.nextServer = Math.floor(random() * config.servers.length);
    this.hasChroot = config.chroot === '';
  }

  onEvent(listener: (event: SessionEvent) => void): () => void {
    const own = (event: SessionEvent): void => listener(event);
    this.listeners.add(own);
    return () => this.listeners.delete(own);
  }

  /**
   * A request that changes nothing: tried again on the next connection.
   *
   * @throws MILLRACE_CONNECTION_LOST, the session's own errors (`connect`), or the library's error with the server's code.
   */
  async read<T>(request: SessionRequest<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const connection = this.openConnection ?? (await this.connected(request));
      try {
        return await connection.request((client, done: Done<T>) => request.issue(client, done), this.config.requestTimeoutMs);
      } catch (error) {
        if (!(error instanceof ConnectionEnd)) throw error;
        if (error.kind === 'refused') throw this.refused(error);
        if (attempt === READ_ATTEMPTS) throw this.lost(request, error);
      }
    }
  }

  /**
   * A request that changes something: sent once.
   *
   * @throws MILLRACE_CONNECTION_LOST it was not sent. MILLRACE_OUTCOME_UNKNOWN it may have been carried out, may be later, or never.
   */
  async write<T>(request: SessionRequest<T>): Promise<T> {
    const connection = this.openConnection ?? (await this.connected(request));
    try {
      return await connection.request((client, done: Done<T>) => request.issue(client, done), this.config.requestTimeoutMs);
    } catch (error) {
      if (!(error instanceof ConnectionEnd)) throw error;
      if (error.kind === 'refused') throw this.refused(error);
      const message = `ZooKeeper: to ${request.verb} ${request.path}: ${error.message}; whether it was done is not known`;
      throw new MillraceError('MILLRACE_OUTCOME_UNKNOWN', message, { cause: error });
    }
  }

  /** Ends the session; what waits fails. */
  async close(): Promise<void> {
    this.closing.abort(new MillraceError('MILLRACE_CONNECTION_LOST', 'this ZooKeeper client was closed'));
    this.dialing?.discard('closed');
    const { current } = this;
    this.current = undefined;
    await current?.close(this.config.requestTimeoutMs);
    await this.connecting?.catch(() => undefined);
  }

  /** The connection, if requests can go out on it now. */
  private get openConnection(): Connection | undefined {
    const { current } = this;
    if (!current || current.isFresh) return current;
    // After a freeze of this process the server may be gone, or the session: nothing is sent into the dark.
    current.discard('nothing was heard for long');
    this.onEnd(current, 'lost');
    return undefined;
  }

  /** The next connection, waited for no longer than a request's timeout. */
  private async connected(request: SessionRequest<unknown>): Promise<Connection> {
    this.connecting ??= this.connect().finally(() => (this.connecting = undefined));
    const { requestTimeoutMs, servers } = this.config;
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<never>((_, reject) => {
      const why = (): Error => new Error(`no connection to ${servers.join(', ')} within ${requestTimeoutMs} ms`);
      timer = setTimeout(() => reject(this.lost(request, why())), requestTimeoutMs);
    });
    try {
      return await Promise.race([this.connecting, tooLong]);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Connects, for as long as it takes.
   *
   * @throws MILLRACE_AUTHENTICATION_FAILED, MILLRACE_CHROOT_MISSING; MILLRACE_CONNECTION_LOST when closed.
   */
  private async connect(): Promise<Connection> {
    for (let attempt = 0; ; attempt++) {
      this.closing.signal.throwIfAborted();
      const connection = this.dial();
      try {
        await connection.opened;
        await this.checkChroot(connection);
        return this.adopt(connection);
      } catch (error) {
        connection.discard('not used');
        if (!(error instanceof ConnectionEnd)) throw error;
        if (error.kind === 'refused') throw this.refused(error);
        if (error.kind === 'expired') this.expire();
        else await this.pause(attempt);
      }
    }
  }

  private dial(): Connection {
    const { servers, chroot, auth, sessionTimeoutMs, requestTimeoutMs } = this.config;
    const server = servers[this.nextServer++ % servers.length] ?? '';
    // All servers within one timeout: a stalled one takes connections and never answers.
    const connectTimeoutMs = Math.ceil(requestTimeoutMs / servers.length);
    return (this.dialing = new Connection({ server, chroot, auth, sessionTimeoutMs, session: this.identity, connectTimeoutMs }));
  }

  private adopt(connection: Connection): Connection {
    this.current = connection;
    this.dialing = undefined;
    this.identity = connection.identity;
    void connection.ended.then((end) => this.onEnd(connection, end.kind));
    this.tell('connected');
    return connection;
  }

  private onEnd(connection: Connection, kind: EndKind): void {
    if (this.current !== connection) return;
    this.current = undefined;
    this.identity = connection.identity;
    this.tell('suspended');
    if (kind === 'expired') this.expire();
    if (kind === 'refused') return; // nothing but a next request would have it refused again
    this.connecting ??= this.connect().finally(() => (this.connecting = undefined));
    this.connecting.catch(() => undefined); // the next request begins again, and reports it
  }

  private expire(): void {
    this.identity = undefined;
    this.tell('lost');
  }

  /** Without a chroot every read says "nothing there", and every write fails at its parents. */
  private async checkChroot(connection: Connection): Promise<void> {
    if (this.hasChroot) return;
    const { chroot, requestTimeoutMs } = this.config;
    const found = await connection.request((client, done) => client.exists('/', done), requestTimeoutMs);
    if (!found)
      throw new MillraceError(
        'MILLRACE_CHROOT_MISSING',
        `ZooKeeper has no node ${chroot}, the chroot of the connection string: create it, or correct the string`,
      );
    this.hasChroot = true;
  }

  /** After each round through all servers. */
  private async pause(attempt: number): Promise<void> {
    const { length } = this.config.servers;
    if ((attempt + 1) % length !== 0) return;
    const ms = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min((attempt + 1) / length, 10));
    await sleep(ms, undefined, { ref: false, signal: this.closing.signal }).catch(() => undefined);
  }

  private tell(event: SessionEvent): void {
    for (const listener of [...this.listeners]) listener(event);
  }

  private refused(end: ConnectionEnd): MillraceError {
    const user = this.config.auth === undefined ? 'nobody, as MILLRACE_ZOOKEEPER_AUTH is not set' : `user ${userOf(this.config.auth)}`;
    const message = `ZooKeeper at ${this.config.servers.join(', ')} does not let us in as ${user}: ${end.message}`;
    return new MillraceError('MILLRACE_AUTHENTICATION_FAILED', message, { cause: end });
  }

  private lost({ verb, path }: SessionRequest<unknown>, cause: Error): MillraceError {
    return new MillraceError('MILLRACE_CONNECTION_LOST', `ZooKeeper: to ${verb} ${path}: ${cause.message}`, { cause });
  }
}
