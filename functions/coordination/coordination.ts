/**
 * A store of small versioned nodes with linear, atomic writes: ZooKeeper's data model. The commit protocol (fence, deltas, images) is
 * built on it once, so every backend runs the same protocol.
 *
 * Reads may be old (a lagging replica); writes never are: a compare-and-set against a version that has moved on fails. A path begins
 * with `/`; parents that are missing are made, and whether such a parent reads as undefined or as an empty node is not said.
 */
export interface VersionedNodes {
  /** The node at `path`, or undefined where this replica has none. May be older than the last write. */
  read(path: string): Promise<VersionedNode | undefined>;
  /**
   * Applies all of `ops`, or none.
   *
   * @throws MILLRACE_CONFLICT a version did not match, a `set`, `check` or `delete` found no node, or a `delete` found children.
   * @throws MILLRACE_NODE_EXISTS a `create` found a node.
   * @throws MILLRACE_NODE_TOO_LARGE nothing was sent.
   * @throws MILLRACE_CONNECTION_LOST nothing was sent.
   * @throws MILLRACE_OUTCOME_UNKNOWN the write may have been applied, may be applied later, or never.
   */
  multi(ops: readonly NodeOp[]): Promise<void>;
  /** The names (not paths) of the children of `path`, sorted; empty if there are none. */
  list(path: string): Promise<readonly string[]>;
  /** Largest payload of one node and of one multi, in bytes. */
  readonly limits: { readonly nodeBytes: number; readonly multiBytes: number };
  close(): Promise<void>;
}

export interface VersionedNode {
  readonly data: Uint8Array;
  /** 0 when created, one more with every `set`. */
  readonly version: number;
  /** Identity of the node's creation (ZooKeeper's czxid): differs after a delete and a new create. */
  readonly created: string;
}

/** A delete of a certain version is a `check` and a `delete` in one multi. */
export type NodeOp =
  | { readonly op: 'create'; readonly path: string; readonly data: Uint8Array }
  | { readonly op: 'set'; readonly path: string; readonly data: Uint8Array; readonly version: number }
  | { readonly op: 'check'; readonly path: string; readonly version: number }
  | { readonly op: 'delete'; readonly path: string };

/**
 * Nodes that live and die with a session, and word of what changes: discovery, election, assignment. Correctness never rests on
 * ephemeral nodes: two sessions may each believe for a while that they are the only one.
 */
export interface Coordination extends VersionedNodes {
  /**
   * Creates one node and gives its path. `ephemeral`: it goes with the session, is the caller's to make again after `lost`, and has no
   * children. `sequential`: a number of ten digits is put behind `path`, larger than that of any sibling made before.
   *
   * @throws as `multi`; after MILLRACE_OUTCOME_UNKNOWN, look with `list` for what may have been made.
   */
  create(path: string, data: Uint8Array, kind: { readonly ephemeral?: boolean; readonly sequential?: boolean }): Promise<string>;
  /**
   * Calls `onChange` after each change of the node at `path` (made, set, deleted) and of its list of children: at least once after the
   * last of several changes, perhaps once for many, perhaps without one (after a loss of the connection). So it says "read again". Only
   * changes after the promise has resolved are sure to be told. Gives what ends it.
   */
  watch(path: string, onChange: () => void): Promise<() => void>;
  /** Calls `listener` with what happens to the session. Gives what ends it. */
  onSession(listener: (event: SessionEvent) => void): () => void;
}

/**
 * `suspended`: there is no connection; the session and its ephemeral nodes may live on or not. `connected`: there is one, again.
 * `lost`: the session has ended, and its ephemeral nodes with it; a new one begins with the next `connected`.
 */
export type SessionEvent = 'suspended' | 'connected' | 'lost';
