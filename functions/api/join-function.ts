import type { Key } from '../shared/key.ts';
import type { GlobalWindow, TimeWindow } from '../time/windows/window.ts';
import type { Outputs } from './process-function.ts';

/** Which window a join or co-group is about. */
export interface JoinContext<K extends Key, W extends TimeWindow | GlobalWindow> {
  readonly key: K;
  readonly window: W;
}

/** Makes the result of one pair of records with equal keys in one window. Pure. @see Flink JoinFunction */
export type JoinFunction<A, B, K extends Key, W extends TimeWindow | GlobalWindow, O> = (first: A, second: B, ctx: JoinContext<K, W>) => O;

/**
 * Makes results of all records of a key and window, in order of arrival; one of the two lists may be empty, so that it can be an outer join.
 *
 * @see Flink CoGroupFunction
 */
export type CoGroupFunction<A, B, K extends Key, W extends TimeWindow | GlobalWindow, O> = (
  first: readonly A[],
  second: readonly B[],
  ctx: JoinContext<K, W>,
) => Outputs<O>;
