import { checkNodeSizes, NODE_LIMITS } from '../node-sizes.ts';
import { MillraceError } from '../../shared/errors.ts';
import type { NodeOp, VersionedNode, VersionedNodes } from '../coordination.ts';

interface Node {
  data: Uint8Array;
  version: number;
  created: string;
  /** Belongs to a session, and has no children. */
  ephemeral?: boolean;
}

/** Versioned nodes in this process's memory: tests, and the embedded store behind its server. Reads are never old. */
export class MemoryTree implements VersionedNodes {
  readonly limits = NODE_LIMITS;
  private readonly nodes = new Map<string, Node>();
  private readonly children = new Map<string, Set<string>>();
  private readonly listeners = new Set<(path: string) => void>();
  /** By parent: the last number that was given to a sequential child. */
  private readonly numbers = new Map<string, number>();
  private writes = 0;

  read(path: string): Promise<VersionedNode | undefined> {
    const node = this.nodes.get(path);
    return Promise.resolve(node && { data: node.data, version: node.version, created: node.created });
  }

  async multi(ops: readonly NodeOp[]): Promise<void> {
    this.apply(ops);
    if (this.listeners.size > 0) this.tell(ops);
  }

  list(path: string): Promise<readonly string[]> {
    return Promise.resolve([...(this.children.get(path === '/' ? '' : path) ?? [])].sort());
  }

  /** As `multi` with one create, for a node that belongs to a session; whose end deletes it is the caller's to know. */
  async createEphemeral(path: string, data: Uint8Array): Promise<void> {
    await this.multi([{ op: 'create', path, data }]);
    const node = this.nodes.get(path);
    if (node) node.ephemeral = true;
  }

  /** The path of a new sequential child. */
  numbered(path: string): string {
    const [parent] = splitPath(path);
    const number = (this.numbers.get(parent) ?? -1) + 1;
    this.numbers.set(parent, number);
    return path + String(number).padStart(10, '0');
  }

  /** Calls `listener` with each node whose value or children have changed, after the multi that did it. Gives what ends it. */
  onChange(listener: (path: string) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Every node with its data, for persistence. */
  *entries(): Generator<readonly [path: string, node: VersionedNode]> {
    yield* this.nodes;
  }

  /** Puts back a node that `entries` gave. */
  restore(path: string, node: VersionedNode): void {
    this.put(path, { ...node });
    this.writes = Math.max(this.writes, Number(node.created));
  }

  private apply(ops: readonly NodeOp[]): void {
    checkNodeSizes(ops);
    const undo: (() => void)[] = [];
    this.writes++;
    try {
      for (const op of ops) undo.push(this.applyOne(op));
    } catch (error) {
      for (const step of undo.reverse()) step();
      throw error;
    }
  }

  private tell(ops: readonly NodeOp[]): void {
    const changed = new Set<string>();
    for (const { op, path } of ops) {
      if (op === 'check') continue;
      changed.add(path);
      if (op !== 'set') changed.add(splitPath(path)[0] || '/');
    }
    for (const listener of [...this.listeners]) for (const path of changed) listener(path);
  }

  private applyOne(op: NodeOp): () => void {
    const before = this.nodes.get(op.path);
    if (op.op === 'create') {
      if (before) throw new MillraceError('MILLRACE_NODE_EXISTS', `${op.path} exists`);
      if (this.nodes.get(splitPath(op.path)[0])?.ephemeral)
        throw new MillraceError('MILLRACE_CONFLICT', `${op.path}: its parent is ephemeral, and has no children`);
      this.put(op.path, { data: op.data, version: 0, created: String(this.writes) });
    } else {
      if (!before) throw new MillraceError('MILLRACE_CONFLICT', `${op.path}: no such node`);
      if (op.op !== 'delete' && before.version !== op.version)
        throw new MillraceError('MILLRACE_CONFLICT', `${op.path} is at version ${before.version}, expected ${op.version}`);
      if (op.op === 'delete' && this.children.has(op.path)) throw new MillraceError('MILLRACE_CONFLICT', `${op.path} has children`);
      if (op.op === 'set') this.put(op.path, { ...before, data: op.data, version: before.version + 1 });
      if (op.op === 'delete') this.remove(op.path);
    }
    return () => {
      if (before) this.put(op.path, before);
      else this.remove(op.path);
    };
  }

  private put(path: string, node: Node): void {
    this.nodes.set(path, node);
    const [parent, name] = splitPath(path);
    let names = this.children.get(parent);
    if (!names) this.children.set(parent, (names = new Set()));
    names.add(name);
  }

  private remove(path: string): void {
    this.nodes.delete(path);
    const [parent, name] = splitPath(path);
    const names = this.children.get(parent);
    names?.delete(name);
    if (names?.size === 0) this.children.delete(parent);
  }
}

function splitPath(path: string): [parent: string, name: string] {
  const at = path.lastIndexOf('/');
  return [path.slice(0, at), path.slice(at + 1)];
}
