import { MillraceError } from '../../shared/errors.ts';
import type { StateBackend, StateNode, StateOp } from '../state-backend.ts';

interface Node {
  data: Uint8Array;
  version: number;
  created: string;
}

/** ZooKeeper's limits, so that what fits here fits there. */
const LIMITS = { nodeBytes: 1_000_000, multiBytes: 1_000_000 };

/** The state store in this process's memory: tests, and the embedded store behind its server. Reads are never old. */
export class MemoryStateBackend implements StateBackend {
  readonly limits = LIMITS;
  private readonly nodes = new Map<string, Node>();
  private readonly children = new Map<string, Set<string>>();
  private writes = 0;

  read(path: string): Promise<StateNode | undefined> {
    const node = this.nodes.get(path);
    return Promise.resolve(node && { data: node.data, version: node.version, created: node.created });
  }

  async multi(ops: readonly StateOp[]): Promise<void> {
    this.apply(ops);
  }

  list(path: string): Promise<readonly string[]> {
    return Promise.resolve([...(this.children.get(path) ?? [])].sort());
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Every node with its data, for persistence. */
  *entries(): Generator<readonly [path: string, node: StateNode]> {
    yield* this.nodes;
  }

  /** Puts back a node that `entries` gave. */
  restore(path: string, node: StateNode): void {
    this.put(path, { ...node });
    this.writes = Math.max(this.writes, Number(node.created));
  }

  private apply(ops: readonly StateOp[]): void {
    checkSizes(ops);
    const undo: (() => void)[] = [];
    this.writes++;
    try {
      for (const op of ops) undo.push(this.applyOne(op));
    } catch (error) {
      for (const step of undo.reverse()) step();
      throw error;
    }
  }

  private applyOne(op: StateOp): () => void {
    const before = this.nodes.get(op.path);
    if (op.op === 'create') {
      if (before) throw new MillraceError('MILLRACE_NODE_EXISTS', `${op.path} exists`);
      this.put(op.path, { data: op.data, version: 0, created: String(this.writes) });
    } else {
      if (!before) throw new MillraceError('MILLRACE_CONFLICT', `${op.path}: no such node`);
      if (op.op !== 'delete' && before.version !== op.version)
        throw new MillraceError('MILLRACE_CONFLICT', `${op.path} is at version ${before.version}, expected ${op.version}`);
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

function checkSizes(ops: readonly StateOp[]): void {
  let total = 0;
  for (const op of ops) {
    if (op.op !== 'create' && op.op !== 'set') continue;
    total += op.data.length;
    if (op.data.length > LIMITS.nodeBytes || total > LIMITS.multiBytes)
      throw new MillraceError('MILLRACE_NODE_TOO_LARGE', `${op.path}: ${total} bytes in one write, at most ${LIMITS.multiBytes}`);
  }
}
