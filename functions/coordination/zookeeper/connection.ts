import { type Failed, type LibraryClient, ZOOKEEPER_CODES, createLibraryClient } from './library.ts';

/** A session as the ensemble knows it, and what it has seen: a server that knows less does not take it. */
export interface SessionIdentity {
  readonly id: Buffer;
  readonly password: Buffer;
  readonly seen: Buffer;
}

/** `lost`: the session may live on. `expired`: it does not. `refused`: the server does not take our authentication. `closed`: by us. */
export type EndKind = 'lost' | 'expired' | 'refused' | 'closed';

/** Why a connection ended: what its requests that had no answer fail with. Whether the server carried them out is not known. */
export class ConnectionEnd extends Error {
  override readonly name = 'ConnectionEnd';
  readonly kind: EndKind;

  constructor(kind: EndKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

export interface ConnectionOptions {
  /** `host:port`. */
  readonly server: string;
  /** Path that the library puts before all others; may be empty. */
  readonly chroot: string;
  readonly auth: string | undefined;
  readonly sessionTimeoutMs: number;
  /** The session to go on with; undefined begins one. */
  readonly session: SessionIdentity | undefined;
  /** Longest wait for the connection, in ms. */
  readonly connectTimeoutMs: number;
}

/** What a request's issuer calls with the answer. */
export type Done<T> = (error: Failed, value: T) => void;

/**
 * One connection to one server: a client of the library that is thrown away when the connection ends. The library would keep a client,
 * and with it requests that it sends after the next connect, behind which it puts the authentication, and the rest of an answer cut in
 * half, which it takes for the head of the next one.
 */
export class Connection {
  /** Settles once. */
  readonly opened: Promise<void>;
  /** Never rejects. */
  readonly ended: Promise<ConnectionEnd>;
  private readonly client: LibraryClient;
  private readonly waiting = new Set<(end: ConnectionEnd) => void>();
  private end: ConnectionEnd | undefined;
  private finish: (end: ConnectionEnd) => void = () => undefined;
  private isOpen = false;
  private silenceTimer: NodeJS.Timeout | undefined;
  /** By the wall's clock, which goes on in a freeze. */
  private lastHeard = Date.now();
  /** By the clock of `performance`. */
  private lastAnswer = 0;

  constructor(options: ConnectionOptions) {
    const { session, sessionTimeoutMs } = options;
    const identity = session && { sessionId: session.id, sessionPassword: session.password };
    this.client = createLibraryClient(options.server + options.chroot, { sessionTimeout: sessionTimeoutMs, ...identity });
    if (session) this.client.connectionManager.zxid = session.seen;
    this.ended = new Promise((resolve) => (this.finish = resolve));
    this.opened = this.open(options);
  }

  /** The session, once opened. */
  get identity(): SessionIdentity {
    const { client } = this;
    return { id: client.getSessionId(), password: client.getSessionPassword(), seen: client.connectionManager.zxid };
  }

  /**
   * False where the server may have forgotten us without our notice: after a freeze of this process, or a loss that no packet told. Clocks
   * that are set back count as a freeze.
   */
  get isFresh(): boolean {
    return this.end === undefined && Math.abs(Date.now() - this.lastHeard) <= this.longestSilenceMs;
  }

  /**
   * Sends what `issue` asks of the client, and gives the answer. If there is none, and none to others, for `timeoutMs`, the server is taken
   * for stalled, and the connection ends with all that waits: what has been sent on it may still be carried out. Answers come in the order
   * of the requests, so a request behind many large ones waits for as long as they get on.
   *
   * @throws ConnectionEnd, or the library's error with the server's code.
   */
  request<T>(issue: (client: LibraryClient, done: Done<T>) => void, timeoutMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.end) {
        reject(this.end);
        return;
      }
      const stopTimer = this.discardIfStalled(timeoutMs);
      const settle = (end?: ConnectionEnd): void => {
        stopTimer();
        this.waiting.delete(settle);
        if (this.waiting.size === 0) this.client.connectionManager.socket?.unref();
        if (end) reject(end);
      };
      if (this.waiting.size === 0) this.client.connectionManager.socket?.ref();
      this.waiting.add(settle);
      const done: Done<T> = (error, value) => {
        // The connection's end tells more than the library's word for it, and follows at once.
        if (error && isConnectionEnd(error)) return;
        this.lastAnswer = performance.now();
        settle();
        if (error) reject(error);
        else resolve(value);
      };
      try {
        issue(this.client, done);
      } catch (error) {
        done(error as Error, undefined as T); // the library's assertions, before anything is sent
      }
    });
  }

  /** Ends it at once; the session lives on until its timeout. */
  discard(message: string): void {
    this.finishWith(new ConnectionEnd('lost', message));
  }

  /** Ends the session, and with it its ephemeral nodes; without an answer in `timeoutMs` they go with its timeout. */
  async close(timeoutMs: number): Promise<void> {
    const closed = new ConnectionEnd('closed', 'the connection was closed');
    if (!this.isOpen) this.finishWith(closed);
    const timer = setTimeout(() => this.finishWith(closed), timeoutMs);
    if (!this.end) this.client.close();
    await this.ended;
    clearTimeout(timer);
  }

  private get longestSilenceMs(): number {
    return (this.client.getSessionTimeout() * 2) / 3;
  }

  private open({ server, auth, connectTimeoutMs }: ConnectionOptions): Promise<void> {
    const { client } = this;
    // Before the connection: the library then sends it ahead of all requests.
    if (auth !== undefined) client.addAuthInfo('digest', Buffer.from(auth));
    const lost = (): void => this.discard(`the connection to ${server} was lost`);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.discard(`${server} did not answer within ${connectTimeoutMs} ms`), connectTimeoutMs);
      void this.ended.then((end) => {
        clearTimeout(timer);
        reject(end);
      });
      client.once('connected', () => {
        clearTimeout(timer);
        this.isOpen = true;
        this.watchSilence();
        resolve();
      });
      client.once('expired', () => this.finishWith(new ConnectionEnd('expired', 'the session has expired')));
      client.once('authenticationFailed', () => this.finishWith(new ConnectionEnd('refused', `${server} refused the authentication`)));
      client.once('disconnected', lost);
      this.guardData();
      client.connect();
      client.connectionManager.connect = lost;
    });
  }

  /** The library throws at codes and events that it does not know, out of the socket's listener: that would end the process. */
  private guardData(): void {
    const manager = this.client.connectionManager;
    const receive = manager.onSocketData.bind(manager);
    manager.onSocketData = (data) => {
      this.lastHeard = Date.now();
      // Parts of a large answer count as one: more than an answer to a ping.
      if (data.length > PING_ANSWER_BYTES) this.lastAnswer = performance.now();
      try {
        receive(data);
      } catch (error) {
        const { message } = error as Error;
        const kind = message.endsWith(String(AUTHENTICATION_REQUIRED)) ? 'refused' : 'lost';
        this.finishWith(new ConnectionEnd(kind, `an answer was not understood (${message})`));
      }
    };
  }

  /** The library has no limit for it: it sends pings every third of the session's timeout, and never misses their answers. */
  private watchSilence(): void {
    const check = (): void => {
      if (!this.isFresh) this.discard(`nothing was heard for ${Date.now() - this.lastHeard} ms`);
    };
    this.client.connectionManager.socket?.unref();
    this.silenceTimer = setInterval(check, this.longestSilenceMs / 2).unref();
  }

  /** For one request that is sent now. Gives what ends the watch. */
  private discardIfStalled(timeoutMs: number): () => void {
    const sentAt = performance.now();
    const look = (): void => {
      const quietMs = performance.now() - Math.max(sentAt, this.lastAnswer);
      if (quietMs >= timeoutMs) this.discard(`no answer within ${timeoutMs} ms`);
      else timer = setTimeout(lookLater, timeoutMs - quietMs);
    };
    // Answers that came while this process was busy are read before the next turn.
    const lookLater = (): void => void (immediate = setImmediate(look));
    let immediate: NodeJS.Immediate | undefined;
    let timer = setTimeout(lookLater, timeoutMs);
    return () => {
      clearTimeout(timer);
      clearImmediate(immediate);
    };
  }

  private finishWith(end: ConnectionEnd): void {
    if (this.end) return;
    this.end = end;
    clearInterval(this.silenceTimer);
    // The library makes its socket and its timer in the tick after `connect`.
    if (this.client.connectionManager.socket) this.dispose();
    else process.nextTick(() => this.dispose());
    for (const settle of [...this.waiting]) settle(end);
    this.finish(end);
  }

  private dispose(): void {
    const { socket, connectTimeoutHandler } = this.client.connectionManager;
    clearTimeout(connectTimeoutHandler);
    socket?.destroy();
  }
}

const PING_ANSWER_BYTES = 20;

/** SESSIONCLOSEDREQUIRESASLAUTH: the server takes no session without authentication. */
const AUTHENTICATION_REQUIRED = -124;

function isConnectionEnd({ code }: Error & { readonly code?: number }): boolean {
  return code === ZOOKEEPER_CODES.connectionLoss || code === ZOOKEEPER_CODES.sessionExpired || code === ZOOKEEPER_CODES.authFailed;
}
