import type { BroadcastProcessShape, StateDescriptorShape } from './logical-graph.ts';
import type { StateShape } from './stage-plan.ts';

/** The name under which a state that is broadcast is stored, beside those of keys. */
export function broadcastName(name: string): string {
  return `$broadcast-${name}`;
}

/** The states of a broadcast process function, as the lock file guards them. */
export function broadcastStates({ states, broadcastStates }: BroadcastProcessShape): readonly StateShape[] {
  const shape = ({ name, kind, type }: StateDescriptorShape): StateShape => ({ name, kind, type });
  return [...Object.values(states).map(shape), ...broadcastStates.map((state) => shape({ ...state, name: broadcastName(state.name) }))];
}
