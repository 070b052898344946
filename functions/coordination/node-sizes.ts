import { MillraceError } from '../shared/errors.ts';
import type { NodeOp } from './coordination.ts';

/** ZooKeeper's limits, so that what fits one implementation fits every other. */
export const NODE_LIMITS = { nodeBytes: 1_000_000, multiBytes: 1_000_000 };

/** Refuses here what a store would refuse, so that "nothing was sent" is true. @throws MILLRACE_NODE_TOO_LARGE */
export function checkNodeSizes(ops: readonly NodeOp[]): void {
  let total = 0;
  for (const op of ops) {
    if (op.op !== 'create' && op.op !== 'set') continue;
    total += op.data.length;
    if (op.data.length > NODE_LIMITS.nodeBytes || total > NODE_LIMITS.multiBytes)
      throw new MillraceError('MILLRACE_NODE_TOO_LARGE', `${op.path}: ${total} bytes in one write, at most ${NODE_LIMITS.multiBytes}`);
  }
}
