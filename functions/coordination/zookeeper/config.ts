import { readFileSync } from 'node:fs';
import { MillraceError } from '../../shared/errors.ts';

/** How to reach a ZooKeeper ensemble: for functions and the command line alike. */
export interface ZooKeeperConfig {
  /** `host:port` of each server. */
  readonly servers: readonly string[];
  /** Path under which everything is kept, which must exist; empty for the root. */
  readonly chroot: string;
  /**
   * `user:password` of digest authentication: what is created then belongs to that user alone, parents too, so several users need chroots
   * of their own. Undefined: what is created is open to all.
   */
  readonly auth: string | undefined;
  /** The session, and its ephemeral nodes, end when the ensemble has not heard of us for this long, in ms. @default 10000 */
  readonly sessionTimeoutMs: number;
  /** Longest wait for a connection, and then for one answer, in ms. @default 5000 */
  readonly requestTimeoutMs: number;
}

const SERVER = /^([^\s:,/@]+)(?::(\d{1,5}))?$/;
const DEFAULT_PORT = '2181';

/**
 * From `MILLRACE_ZOOKEEPER` (`HOST:PORT`, several with commas between them, a chroot path behind), `MILLRACE_ZOOKEEPER_AUTH`
 * (`USER:PASSWORD`, or the path of a file that holds it: a text without a colon), `MILLRACE_ZOOKEEPER_SESSION_MS` and
 * `MILLRACE_ZOOKEEPER_REQUEST_MS`.
 *
 * @throws MILLRACE_CONFIG_INVALID, never with a value that may be secret.
 */
export function parseZooKeeperConfig(env: Readonly<Record<string, string | undefined>>): ZooKeeperConfig {
  return Object.freeze({
    ...parseConnectionString(env['MILLRACE_ZOOKEEPER'] ?? ''),
    auth: parseAuth(env['MILLRACE_ZOOKEEPER_AUTH']),
    sessionTimeoutMs: parseMs(env, 'MILLRACE_ZOOKEEPER_SESSION_MS', 10_000),
    requestTimeoutMs: parseMs(env, 'MILLRACE_ZOOKEEPER_REQUEST_MS', 5000),
  });
}

function parseConnectionString(given: string): Pick<ZooKeeperConfig, 'servers' | 'chroot'> {
  const text = given.trim();
  const slash = text.includes('/') ? text.indexOf('/') : text.length;
  const servers = text.slice(0, slash).split(',').map(parseServer);
  const chroot = text.slice(slash).replace(/\/$/, '');
  if (chroot === '' || isNodePath(chroot)) return { servers: Object.freeze(servers), chroot };
  throw invalid(`the chroot is '${chroot}'; a path such as /millrace/prod is allowed`);
}

function parseServer(given: string): string {
  const [, host, port = DEFAULT_PORT] = SERVER.exec(given.trim()) ?? [];
  if (host !== undefined && Number(port) >= 1 && Number(port) <= 65_535) return `${host}:${port}`;
  throw invalid(given.trim() === '' ? 'no server is given' : `a server is '${given.replace(/^.*@/, '…@')}'`);
}

function invalid(what: string): MillraceError {
  return new MillraceError('MILLRACE_CONFIG_INVALID', `${what}; MILLRACE_ZOOKEEPER takes HOST:PORT,HOST:PORT/CHROOT`);
}

/** What every ZooKeeper takes as a path: no empty, `.` or `..` name, no control, private or surrogate character. */
export function isNodePath(path: string): boolean {
  // eslint-disable-next-line no-control-regex -- those are what is refused
  return /^\/$|^(\/(?!\.{1,2}(\/|$))[^/]+)+$/.test(path) && !/[\0-\x1f\x7f-\x9f\ud800-\uf8ff\ufff0-\uffff]/.test(path);
}

/** The part of an authentication that may be told. */
export function userOf(auth: string): string {
  return auth.slice(0, auth.indexOf(':'));
}

function parseAuth(given: string | undefined): string | undefined {
  if (given === undefined || given === '') return undefined;
  const auth = given.includes(':') ? given : readAuth(given);
  if (/^[^:]+:./s.test(auth)) return auth;
  throw new MillraceError('MILLRACE_CONFIG_INVALID', 'MILLRACE_ZOOKEEPER_AUTH, or the file that it names, must hold USER:PASSWORD');
}

function readAuth(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    // The path is not told: a password without its user would look like one.
    const { code } = error as NodeJS.ErrnoException;
    const message = `MILLRACE_ZOOKEEPER_AUTH holds no colon, so it is the path of a file, and that cannot be read (${String(code)})`;
    throw new MillraceError('MILLRACE_CONFIG_INVALID', message);
  }
}

function parseMs(env: Readonly<Record<string, string | undefined>>, name: string, fallback: number): number {
  const given = env[name];
  if (given === undefined || given === '') return fallback;
  const value = Number(given);
  if (given.trim() !== '' && Number.isSafeInteger(value) && value >= 100 && value <= 600_000) return value;
  throw new MillraceError('MILLRACE_CONFIG_INVALID', `${name} is '${given}'; a whole number of ms from 100 to 600000 is allowed`);
}
