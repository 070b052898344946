import type { Coordination, NodeOp, SessionEvent, VersionedNode } from '../coordination.ts';
import type { MemoryTree } from './memory-tree.ts';

/** One session on a tree in memory, for tests; other sessions can share the tree. */
export class MemoryCoordination implements Coordination {
  readonly limits: Coordination['limits'];
  private readonly tree: MemoryTree;
  private readonly stops = new Set<() => void>();
  private readonly listeners = new Set<(event: SessionEvent) => void>();
  /** Ephemeral nodes of this session, with their identity: another's at the same path is not ours to delete. */
  private readonly owned = new Map<string, string | undefined>();

  constructor(tree: MemoryTree) {
    this.tree = tree;
    this.limits = tree.limits;
  }

  read(path: string): Promise<VersionedNode | undefined> {
    return this.tree.read(path);
  }

  list(path: string): Promise<readonly string[]> {
    return this.tree.list(path);
  }

  multi(ops: readonly NodeOp[]): Promise<void> {
    return this.tree.multi(ops);
  }

  async create(path: string, data: Uint8Array, kind: { readonly ephemeral?: boolean; readonly sequential?: boolean }): Promise<string> {
    const made = kind.sequential ? this.tree.numbered(path) : path;
    if (!kind.ephemeral) await this.tree.multi([{ op: 'create', path: made, data }]);
    else {
      await this.tree.createEphemeral(made, data);
      this.owned.set(made, (await this.tree.read(made))?.created);
    }
    return made;
  }

  watch(path: string, onChange: () => void): Promise<() => void> {
    const stop = this.tree.onChange((changed) => {
      // After the writer's turn, as word from a server would come.
      if (changed === path) queueMicrotask(() => this.stops.has(stop) && onChange());
    });
    this.stops.add(stop);
    return Promise.resolve(() => {
      this.stops.delete(stop);
      stop();
    });
  }

  onSession(listener: (event: SessionEvent) => void): () => void {
    const own = (event: SessionEvent): void => listener(event);
    this.listeners.add(own);
    return () => this.listeners.delete(own);
  }

  /** The session ends as if the store had not heard of it for long, and a new one begins. */
  async expire(): Promise<void> {
    this.tell('suspended');
    await this.deleteOwned();
    this.tell('lost');
    this.tell('connected');
  }

  async close(): Promise<void> {
    for (const stop of this.stops) stop();
    this.stops.clear();
    await this.deleteOwned();
  }

  private async deleteOwned(): Promise<void> {
    const owned = [...this.owned];
    this.owned.clear();
    for (const [path, created] of owned) {
      const node = await this.tree.read(path);
      if (node?.created === created) await this.tree.multi([{ op: 'delete', path }]);
    }
  }

  private tell(event: SessionEvent): void {
    for (const listener of [...this.listeners]) listener(event);
  }
}
