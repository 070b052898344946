import { type ErrorCode, MillraceError } from '../../functions/shared/errors.ts';
import { decodeFence, type Fence } from '../../functions/state/fence.ts';
import type { StateBackend, StateNode, StateOp } from '../../functions/state/state-backend.ts';
import type { Owner, Simulator } from './simulator.ts';

/** One value of a node, from write `at` on; no data where it has been deleted. */
interface Value extends StateNode {
  readonly at: number;
  readonly gone: boolean;
}

/** What a session has seen: no read is older, unless the session is a new one. */
interface Session {
  seen: number;
}

/** How far behind a follower may be, in writes. */
const MAX_LAG = 14;

/**
 * ZooKeeper as protocol.md assumes it: writes are linear, reads come from followers that lag, outcomes get lost. A check against version
 * 0 always passes, as in node-zookeeper-client: the runtime must not depend on it.
 */
export class SimState {
  private readonly simulator: Simulator;
  private readonly nodes = new Map<string, Value[]>();
  private writes = 0;
  /** No read is older than this write. */
  private floor = 0;

  constructor(simulator: Simulator) {
    this.simulator = simulator;
  }

  /** The store as one environment sees it, over a session of its own. */
  connect(owner: Owner): StateBackend {
    const session: Session = { seen: 0 };
    const { simulator } = this;
    return {
      limits: { nodeBytes: 1_000_000, multiBytes: 1_000_000 },
      read: (path) => simulator.call(owner, readPoint(path), () => this.read(session, path)),
      list: (path) => simulator.call(owner, 'A8 list', () => this.children(path, this.lag(session, 'A8 list'))),
      multi: (ops) => {
        const point = this.writePoint(ops);
        return simulator.call(owner, point, () => {
          this.write(session, point, ops);
        });
      },
      close: () => Promise.resolve(),
    };
  }

  /** No follower is behind this moment any more: a clean cut, as new code in a fenced stage needs one (protocol section 7). */
  cut(): void {
    this.floor = this.writes;
  }

  /** The store as it is now, for the oracle. */
  snapshot(): StateBackend {
    return {
      limits: { nodeBytes: 1_000_000, multiBytes: 1_000_000 },
      read: (path) => Promise.resolve(toNode(this.valueAt(path, this.writes))),
      list: (path) => Promise.resolve(this.children(path, this.writes)),
      multi: () => Promise.reject(new Error('read only')),
      close: () => Promise.resolve(),
    };
  }

  fenceNow(path: string): Fence | undefined {
    const node = this.valueAt(path, this.writes);
    return node && decodeFence(node.data);
  }

  private read(session: Session, path: string): StateNode | undefined {
    const point = readPoint(path);
    const found = this.valueAt(path, this.lag(session, point));
    if (!found && /^A[23]/.test(point)) this.simulator.count('deleted under a reader');
    return toNode(found);
  }

  /** The write up to which a read sees: behind the last one, if its follower lags. */
  private lag(session: Session, point: string): number {
    if (this.simulator.fault(0.015, point, 'new session') !== undefined) session.seen = 0;
    session.seen = Math.max(session.seen, this.floor);
    let seen = this.writes;
    if (seen > session.seen && this.simulator.fault(0.06, point, 'old read') !== undefined) {
      seen -= 1 + this.simulator.extent(Math.min(MAX_LAG, seen - session.seen), 0.3);
    }
    session.seen = Math.max(session.seen, seen);
    return session.seen;
  }

  private write(session: Session, point: string, ops: readonly StateOp[]): void {
    const fault = this.simulator.fault(0.05, point, 'write lost', 'write applied, unknown', 'write applied later');
    if (fault === 'write lost') throw unknown();
    if (fault === 'write applied later') {
      this.simulator.later(`late ${point}`, 5 + this.simulator.extent(60, 0.1), () => {
        this.simulator.log(`late write: ${this.apply(ops) ?? 'applied'}`);
      });
      throw unknown();
    }
    const failure = this.apply(ops);
    if (fault !== undefined) throw unknown();
    session.seen = this.writes; // a failed write is a transaction too: the session has then seen all before it
    this.simulator.log(`${point} ${failure ?? 'applied'}`);
    if (failure) throw new MillraceError(failure, `simulated: ${point}`);
  }

  private apply(ops: readonly StateOp[]): ErrorCode | undefined {
    this.writes++;
    const fresh = new Map<string, Value>();
    for (const op of ops) {
      const before = fresh.get(op.path) ?? this.valueAt(op.path, this.writes);
      const failure = refuse(op, before);
      if (failure) return failure;
      if (op.op !== 'check') fresh.set(op.path, this.next(op, before));
    }
    for (const [path, value] of fresh) {
      const history = this.nodes.get(path);
      if (history) history.push(value);
      else this.nodes.set(path, [value]);
    }
    return undefined;
  }

  private next(op: Exclude<StateOp, { op: 'check' }>, before: Value | undefined): Value {
    const at = this.writes;
    if (op.op === 'delete' || !before)
      return { at, gone: op.op === 'delete', data: op.op === 'delete' ? new Uint8Array() : op.data, version: 0, created: `z${at}` };
    return { at, gone: false, data: op.op === 'set' ? op.data : before.data, version: before.version + 1, created: before.created };
  }

  private valueAt(path: string, at: number): Value | undefined {
    const history = this.nodes.get(path) ?? [];
    for (let i = history.length - 1; i >= 0; i--) {
      const value = history[i];
      if (value && value.at <= at) return value.gone ? undefined : value;
    }
    return undefined;
  }

  private children(path: string, at: number): string[] {
    const names = [...this.nodes.keys()].filter((name) => name.startsWith(`${path}/`) && this.valueAt(name, at));
    return names.map((name) => name.slice(path.length + 1)).sort();
  }

  private writePoint(ops: readonly StateOp[]): string {
    const [first] = ops;
    const name = first?.path.slice(first.path.lastIndexOf('/') + 1) ?? '';
    if (first?.op === 'check') return 'A4 check';
    if (first?.op === 'delete') return 'A8 sweep';
    if (first?.op === 'create')
      return name.startsWith('c-')
        ? 'A7 chunk'
        : name.startsWith('i-')
          ? 'A8 image'
          : name.startsWith('p-')
            ? 'A7 journal chunk'
            : 'A1 create fence';
    return first?.op === 'set' ? this.fencePoint(first) : 'A7 commit';
  }

  private fencePoint({ path, data }: StateOp & { op: 'set' }): string {
    const before = this.fenceNow(path);
    const after = decodeFence(data);
    if (before && after.gaps > before.gaps) return 'A4 gap';
    const named = before?.images.flatMap(({ paths }) => paths);
    return named && after.images.some(({ paths: [path = ''] }) => !named.includes(path)) ? 'A8 swap' : 'A7 commit';
  }
}

function refuse(op: StateOp, before: Value | undefined): ErrorCode | undefined {
  const there = before !== undefined && !before.gone;
  if (op.op === 'create') return there ? 'MILLRACE_NODE_EXISTS' : undefined;
  if (!there) return 'MILLRACE_CONFLICT';
  return op.op !== 'delete' && op.version !== 0 && op.version !== before.version ? 'MILLRACE_CONFLICT' : undefined;
}

function readPoint(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (/^d-\d+$/.test(name)) return 'A2 delta';
  if (/^c-\d+-/.test(name)) return 'A2 chunk';
  if (/^p-\d+-/.test(name)) return 'A3 pending';
  return /^i-\d+-/.test(name) ? 'A2 image' : 'A1 fence';
}

function toNode(value: Value | undefined): StateNode | undefined {
  return value && { data: value.data, version: value.version, created: value.created };
}

function unknown(): MillraceError {
  return new MillraceError('MILLRACE_OUTCOME_UNKNOWN', 'simulated: the connection was lost');
}
