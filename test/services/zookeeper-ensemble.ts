import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Server } from './server.ts';
import { ServicesError } from './services-error.ts';
import { ensembleSize, startTimeoutMs } from './settings.ts';
import { type ZooKeeperMode, type ZooKeeperOptions, zooKeeperMode, zooKeeperServer } from './zookeeper-server.ts';

export interface EnsembleOptions extends Omit<ZooKeeperOptions, 'membership' | 'clientPort'> {
  /** Of `ensemblePortCount` ports in a row: those for clients first. */
  readonly firstPort: number;
}

export const ensemblePortCount = 3 * ensembleSize;

/** Three ZooKeeper servers that agree; two of them are enough. */
export class ZooKeeperEnsemble {
  readonly members: readonly Server[];
  readonly #folder: string;
  readonly #clientPorts: readonly number[];

  constructor({ firstPort, folder, ...options }: EnsembleOptions) {
    const indices = Array.from({ length: ensembleSize }, (_, i) => i);
    const members = indices.map((i) => ({ quorumPort: firstPort + ensembleSize + i, electionPort: firstPort + 2 * ensembleSize + i }));
    this.#folder = folder;
    this.#clientPorts = indices.map((i) => firstPort + i);
    this.members = this.#clientPorts.map(
      (clientPort, i) =>
        new Server(
          zooKeeperServer({ ...options, folder: join(folder, `member-${i + 1}`), clientPort, membership: { id: i + 1, members } }),
        ),
    );
  }

  /** Addresses of all members, with commas between: a connection string without chroot. */
  get address(): string {
    return this.members.map(({ address }) => address).join(',');
  }

  /** Starts those that do not run, and waits until all serve. Whether there were any. */
  async start(): Promise<boolean> {
    const started = await Promise.all(this.members.map((member) => member.launch()));
    await Promise.all(this.members.map((member) => member.untilReady()));
    return started.includes(true);
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map((member) => member.stop()));
  }

  /** Stops it, and removes its data and logs. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Who leads, once just one says so: after a death, when the others have elected; one that was paused still believes in itself for a while. Throws NO_LEADER. */
  async leader(): Promise<Server> {
    const deadline = performance.now() + startTimeoutMs;
    for (;;) {
      const modes = await this.modes();
      const [leader, ...others] = this.members.filter((_, i) => modes[i] === 'leader');
      if (leader && others.length === 0) return leader;
      if (performance.now() > deadline)
        throw new ServicesError('NO_LEADER', 'no ZooKeeper member leads; two of three must run to elect one');
      await delay(25);
    }
  }

  /** What each member is now; undefined for those that do not serve. */
  modes(): Promise<(ZooKeeperMode | undefined)[]> {
    return Promise.all(this.#clientPorts.map((port) => zooKeeperMode(port)));
  }
}
