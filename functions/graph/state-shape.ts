import type { StateDescriptorShape } from './logical-graph.ts';
import type { StateShape } from './stage-plan.ts';

/** The part of a descriptor that is plain data, as plans have it. */
export function toStateShape({ name, kind, type, version, ttl }: StateDescriptorShape): StateShape {
  return { name, kind, type, ...(version !== undefined && { version }), ...(ttl && { ttlMs: ttl.ms }) };
}
