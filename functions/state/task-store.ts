import { isMillraceError, MillraceError } from '../shared/errors.ts';
import { compacted, dueFragments, staleFragments } from './compaction.ts';
import { decodeFence, encodeFence, newFence, type DeltaEntry, type Fence, type ImageEntry } from './fence.ts';
import { fromStored, toStored } from './stored-bytes.ts';
import type { StateBackend, StateOp } from './state-backend.ts';
import type { FragmentShape } from './fragment-keys.ts';
import { TaskState, type Delta } from './task-state.ts';

/** A fence as it was read: compare-and-set goes against `version`, cached state belongs to `created`. */
export interface FenceNode {
  readonly fence: Fence;
  readonly version: number;
  readonly created: string;
}

/** A task's state, in the cache of an environment, and the creation of the fence that it belongs to. */
export interface CachedState {
  readonly created: string;
  readonly state: TaskState;
}

export interface TaskStoreOptions {
  readonly fragments: FragmentShape;
  /** Payload of one node; larger deltas and images are cut into chunks. */
  readonly chunkBytes: number;
  /** A unique name for what an attempt writes. */
  readonly nonce: () => string;
  /** As in `CompactionLimits`. */
  readonly maxDeltas: number;
  readonly minCompactionBytes: number;
}

/**
 * Fence, deltas and images of one task on a backend (protocol section 3). All nodes but the fence are immutable and no name is used
 * twice: what has a base version below the fence's and is not in its manifest can never be committed any more.
 */
export class TaskStore {
  readonly fragments: FragmentShape;
  private readonly backend: StateBackend;
  private readonly path: string;
  private readonly options: TaskStoreOptions;

  constructor(backend: StateBackend, path: string, options: TaskStoreOptions) {
    this.fragments = options.fragments;
    this.backend = backend;
    this.path = path;
    this.options = options;
  }

  /**
   * The fence, or undefined if the task has none here (a read may be old).
   *
   * @throws MILLRACE_STATE_CORRUPT; MILLRACE_OPTION_INVALID the state was laid out by another plan.
   */
  async readFence(): Promise<FenceNode | undefined> {
    const node = await this.backend.read(this.path);
    if (!node) return undefined;
    const fence = decodeFence(node.data, this.path);
    checkLayout(fence, this.fragments, this.path);
    return { fence, version: node.version, created: node.created };
  }

  /**
   * Creates the fence. Created and set at once, so that its version begins at 1: ZooKeeper's client takes version 0 for "any", and the
   * first commit would overwrite another's.
   */
  async createFence(next: number): Promise<void> {
    const data = encodeFence(newFence(next, this.options.nonce(), this.fragments));
    try {
      await this.backend.multi([
        { op: 'create', path: this.path, data },
        { op: 'set', path: this.path, data, version: 0 },
      ]);
    } catch (error) {
      if (!isMillraceError(error, 'MILLRACE_NODE_EXISTS')) throw error;
    }
  }

  /**
   * The state at exactly the fence's `seq`, from `cached` and the deltas since, or from images and deltas. Undefined if a node is
   * missing: it has been compacted away, so the fence was old; a missing node is never empty.
   */
  async load({ fence, created }: FenceNode, cached: CachedState | undefined): Promise<TaskState | undefined> {
    const warm = cached !== undefined && cached.created === created && canFollow(cached.state.seq, fence);
    const state = warm ? cached.state : new TaskState(fence.imageSeq);
    const paths = warm ? [] : fence.images.map((image) => image.paths);
    for (const delta of fence.deltas) if (delta.seq > state.seq) paths.push(delta.paths);
    const parts = await Promise.all(paths.map((chunks) => this.readChunks(chunks)));
    for (const part of parts) {
      if (!part) return undefined;
      state.load(part);
    }
    state.seq = fence.seq;
    return state;
  }

  /**
   * Commits `fence` and the change that leads to it, if the fence is still at the version read. `journal`, the outputs of a journal stage,
   * takes the place of what was pending, which must have been sent.
   *
   * @throws MILLRACE_CONFLICT somebody else has committed. MILLRACE_OUTCOME_UNKNOWN: read the fence again.
   */
  async commit(node: FenceNode, fence: Fence, delta: Delta | undefined, journal?: Uint8Array): Promise<FenceNode> {
    const ops: StateOp[] = [];
    let deltas = fence.deltas;
    if (delta) {
      // Beside a delta, the multi has the fence, which is large only by its verdicts.
      const bytes = toStored(delta.bytes);
      const chunked = bytes.length > this.options.chunkBytes - 8 * fence.verdicts.size;
      const paths = chunked ? await this.writeChunks(`c-${node.version}-${this.options.nonce()}`, bytes) : [`d-${fence.seq}`];
      if (!chunked) ops.push({ op: 'create', path: this.child(`d-${fence.seq}`), data: bytes });
      const entry: DeltaEntry = { seq: fence.seq, paths, bytes: bytes.length, fragments: delta.fragments };
      deltas = [...deltas, entry];
    }
    const pending = journal ? await this.prepareJournal(node, toStored(journal), ops) : [];
    for (const name of node.fence.pending) ops.push({ op: 'delete', path: this.child(name) });
    return this.swap(node, { ...fence, deltas, pending, nonce: this.options.nonce() }, ops);
  }

  /** The outputs that this fence names as pending. Undefined if a node is missing: they have been sent, and the fence was old. */
  readPending({ fence }: FenceNode): Promise<Uint8Array | undefined> {
    return this.readChunks(fence.pending);
  }

  /** Fails with MILLRACE_CONFLICT if the fence has moved on from the version read: a read that only writes can answer. */
  async check(node: FenceNode): Promise<void> {
    await this.backend.multi([{ op: 'check', path: this.path, version: node.version }]);
  }

  /** The fragments that should be compacted now. */
  dueFragments({ fence }: FenceNode): ReadonlySet<number> {
    const { maxDeltas, minCompactionBytes, chunkBytes } = this.options;
    return dueFragments(fence, { maxDeltas, minCompactionBytes, portionBytes: chunkBytes });
  }

  /**
   * Writes new images of fragments, by default of all that need one, and swaps the manifest, which deletes what it does not name any more. `state` must be the state at exactly
   * `node`, and stay with the caller meanwhile. A conflict means that somebody else went on: nothing to do.
   */
  async compact(node: FenceNode, state: TaskState, fragments = staleFragments(node.fence)): Promise<FenceNode> {
    const { fence } = node;
    // Side by side, so that the store can write them to disk together.
    const writing = [...state.images(fragments, this.options.fragments)].map(async ([fragment, image]): Promise<ImageEntry> => {
      const bytes = toStored(image);
      const paths = await this.writeChunks(`i-${node.version}-${this.options.nonce()}-${fragment}`, bytes);
      return { fragment, seq: fence.seq, paths, bytes: bytes.length };
    });
    const next = { ...fence, ...compacted(fence, await Promise.all(writing)), nonce: this.options.nonce() };
    const named = namedBy(next);
    const dropped = [...namedBy(fence)].filter((name) => !named.has(name));
    const swapped = await this.swap(
      node,
      next,
      dropped.map((name) => ({ op: 'delete', path: this.child(name) })),
    );
    if (Math.floor(fence.imageSeq / this.options.maxDeltas) < Math.floor(next.imageSeq / this.options.maxDeltas)) await this.sweep(swapped);
    return swapped;
  }

  /** In the multi itself if there is room beside the delta, else in chunks ahead of it. */
  private async prepareJournal(node: FenceNode, bytes: Uint8Array, ops: StateOp[]): Promise<string[]> {
    const name = `p-${node.version}-${this.options.nonce()}`;
    const beside = ops.reduce((sum, op) => sum + ('data' in op ? op.data.length : 0), 0);
    if (beside + bytes.length > this.options.chunkBytes) return this.writeChunks(name, bytes);
    ops.push({ op: 'create', path: this.child(`${name}-0`), data: bytes });
    return [`${name}-0`];
  }

  private async swap(node: FenceNode, fence: Fence, ops: readonly StateOp[]): Promise<FenceNode> {
    await this.backend.multi([{ op: 'set', path: this.path, data: encodeFence(fence), version: node.version }, ...ops]);
    return { fence, version: node.version + 1, created: node.created };
  }

  /** Deletes what attempts have left that came to nothing: not in the manifest, and prepared for, or committed by, an older version. */
  private async sweep({ fence, version }: FenceNode): Promise<void> {
    const named = namedBy(fence);
    for (const name of await this.backend.list(this.path)) {
      if (named.has(name) || !isGarbage(name, version, fence.seq)) continue;
      try {
        await this.backend.multi([{ op: 'delete', path: this.child(name) }]);
      } catch (error) {
        if (!isMillraceError(error, 'MILLRACE_CONFLICT')) throw error; // another sweep was faster
      }
    }
  }

  private async readChunks(paths: readonly string[]): Promise<Uint8Array | undefined> {
    const nodes = await Promise.all(paths.map((path) => this.backend.read(this.child(path))));
    const parts: Uint8Array[] = [];
    for (const node of nodes) {
      if (!node) return undefined;
      parts.push(node.data);
    }
    return fromStored(parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts), `${paths[0] ?? 'a node'} of ${this.path}`);
  }

  private async writeChunks(name: string, bytes: Uint8Array): Promise<string[]> {
    const paths: string[] = [];
    for (let at = 0; at === 0 || at < bytes.length; at += this.options.chunkBytes) {
      const path = `${name}-${paths.length}`;
      const data = bytes.subarray(at, at + this.options.chunkBytes);
      await this.backend.multi([{ op: 'create', path: this.child(path), data }]);
      paths.push(path);
    }
    return paths;
  }

  private child(name: string): string {
    return `${this.path}/${name}`;
  }
}

/**
 * Refuses a plan that would look for keys elsewhere than they are.
 *
 * @param path - The fence's, for messages. @throws MILLRACE_OPTION_INVALID
 */
export function checkLayout(fence: Fence, { maxParallelism, count }: FragmentShape, path: string): void {
  if (fence.maxParallelism === maxParallelism && fence.stateFragments === count) return;
  throw new MillraceError(
    'MILLRACE_OPTION_INVALID',
    `the state at ${path} was laid out with maxParallelism ${fence.maxParallelism} and stateFragments ${fence.stateFragments}, this plan has ` +
      `${maxParallelism} and ${count}: set them as they were, or begin anew with another namespace`,
  );
}

function namedBy({ images, deltas, pending }: Fence): Set<string> {
  return new Set([...images, ...deltas].flatMap(({ paths }) => paths).concat(pending));
}

/** Whether state at `seq` can be brought to the fence's by deltas alone. */
function canFollow(seq: number, fence: Fence): boolean {
  return seq <= fence.seq && seq >= fence.imageSeq;
}

function isGarbage(name: string, version: number, seq: number): boolean {
  const prepared = /^[cip]-(\d+)-/.exec(name);
  if (prepared) return Number(prepared[1]) < version;
  const delta = /^d-(\d+)$/.exec(name);
  return delta !== null && Number(delta[1]) <= seq;
}
