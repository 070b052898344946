import type { NodeOp, VersionedNode, VersionedNodes } from '../coordination/coordination.ts';

/** Where fences, deltas and images are kept: the part of the coordination port that needs no session. */
export type StateBackend = VersionedNodes;
export type StateNode = VersionedNode;
export type StateOp = NodeOp;
