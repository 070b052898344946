import { isMillraceError } from '../../shared/errors.ts';
import type { Done } from './connection.ts';
import type { LibraryStat } from './library.ts';
import type { ZooKeeperSession } from './session.ts';
import { serverCode } from './zookeeper-error.ts';
import { ZOOKEEPER_CODES } from './library.ts';

interface Watch {
  readonly path: string;
  readonly onChange: () => void;
  /** The newest arming; what older ones see is old. Undefined once stopped. */
  armed: symbol | undefined;
  /** From when on changes are told. */
  isAdded: boolean;
}

/** ZooKeeper's watches tell one change and die with their connection: these are set again after each, before the change is told. */
export class WatchList {
  private readonly session: ZooKeeperSession;
  private readonly watches = new Set<Watch>();

  constructor(session: ZooKeeperSession) {
    this.session = session;
    session.onEvent((event) => {
      // What changed while there was no connection was not told.
      if (event === 'connected') for (const watch of this.watches) void this.renew(watch);
    });
  }

  async add(path: string, onChange: () => void): Promise<() => void> {
    const watch: Watch = { path, onChange, armed: Symbol(path), isAdded: false };
    this.watches.add(watch);
    try {
      await this.arm(watch);
    } catch (error) {
      this.stop(watch);
      throw error;
    }
    watch.isAdded = true;
    return () => this.stop(watch);
  }

  clear(): void {
    for (const watch of this.watches) this.stop(watch);
  }

  private stop(watch: Watch): void {
    watch.armed = undefined;
    this.watches.delete(watch);
  }

  private async renew(watch: Watch): Promise<void> {
    try {
      await this.arm(watch);
    } catch (error) {
      // Without a connection there will be another `connected`; any other error shows itself to who reads again.
      if (isMillraceError(error, 'MILLRACE_CONNECTION_LOST')) return;
    }
    if (watch.armed && watch.isAdded) watch.onChange();
  }

  private async arm(watch: Watch): Promise<void> {
    const armed = Symbol(watch.path);
    watch.armed &&= armed;
    const fire = (): void => {
      if (watch.armed === armed) void this.renew(watch);
    };
    const { path } = watch;
    const stat = await this.session.read({
      verb: 'watch',
      path,
      issue: (client, done: Done<LibraryStat | null>) => client.exists(path, fire, done),
    });
    if (!stat) return;
    try {
      await this.session.read({ verb: 'watch', path, issue: (client, done: Done<unknown>) => client.getChildren(path, fire, done) });
    } catch (error) {
      // Deleted in between: the first watch tells it.
      if (serverCode(error) !== ZOOKEEPER_CODES.noNode) throw error;
    }
  }
}
