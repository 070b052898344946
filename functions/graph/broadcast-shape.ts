import type { BroadcastProcessShape } from './logical-graph.ts';
import type { StateShape } from './stage-plan.ts';
import { toStateShape } from './state-shape.ts';

/** The name under which a state that is broadcast is stored, beside those of keys. */
export function broadcastName(name: string): string {
  return `$broadcast-${name}`;
}

/** The states of a broadcast process function, as the lock file guards them. */
export function broadcastStates({ states, broadcastStates }: BroadcastProcessShape): readonly StateShape[] {
  const shared = broadcastStates.map((state) => toStateShape({ ...state, name: broadcastName(state.name) }));
  return [...Object.values(states).map(toStateShape), ...shared];
}
