/**
 * A store of small versioned nodes with linear, atomic writes: ZooKeeper's data model, without watches. The commit protocol
 * (fence, deltas, images) is built on it once, so every backend runs the same protocol.
 *
 * Reads may be old (a lagging replica); writes never are: a compare-and-set against a version that has moved on fails.
 */
export interface StateBackend {
  /** The node at `path`, or undefined where this replica has none. May be older than the last write. */
  read(path: string): Promise<StateNode | undefined>;
  /**
   * Applies all of `ops`, or none.
   *
   * @throws MILLRACE_CONFLICT a version did not match, or a `set`, `check` or `delete` found no node.
   * @throws MILLRACE_NODE_EXISTS a `create` found a node.
   * @throws MILLRACE_NODE_TOO_LARGE nothing was sent.
   * @throws MILLRACE_OUTCOME_UNKNOWN the write may have been applied, may be applied later, or never.
   */
  multi(ops: readonly StateOp[]): Promise<void>;
  /** The names (not paths) of the children of `path`, sorted; empty if there are none. */
  list(path: string): Promise<readonly string[]>;
  /** Largest payload of one node and of one multi, in bytes. */
  readonly limits: { readonly nodeBytes: number; readonly multiBytes: number };
  close(): Promise<void>;
}

export interface StateNode {
  readonly data: Uint8Array;
  /** 0 when created, one more with every `set`. */
  readonly version: number;
  /** Identity of the node's creation (ZooKeeper's czxid): differs after a delete and a new create. */
  readonly created: string;
}

export type StateOp =
  | { readonly op: 'create'; readonly path: string; readonly data: Uint8Array }
  | { readonly op: 'set'; readonly path: string; readonly data: Uint8Array; readonly version: number }
  | { readonly op: 'check'; readonly path: string; readonly version: number }
  | { readonly op: 'delete'; readonly path: string };
