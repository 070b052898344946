import type { IntervalJoinShape } from './logical-graph.ts';
import type { StateShape } from './stage-plan.ts';

/**
 * The length of the buckets of time in which an interval join keeps records, in ms: a power of two, so that most changes of the bounds keep
 * it. A record looks into six at most.
 */
export function bucketMs({ lowerMs, upperMs }: Pick<IntervalJoinShape, 'lowerMs' | 'upperMs'>): number {
  return 2 ** Math.floor(Math.log2(Math.max(1, (upperMs - lowerMs) / 2)));
}

/** The states of an interval join, as the lock file guards them: in buckets of another length, records would not be found. */
export function intervalStates(shape: IntervalJoinShape): readonly StateShape[] {
  const type = `elements in buckets of ${bucketMs(shape)} ms`;
  return [
    { name: '$left', kind: 'list', type },
    { name: '$right', kind: 'list', type },
  ];
}
