import type { Duration } from '../shared/duration.ts';
import type { Key } from '../shared/key.ts';
import type { GlobalWindow, TimeWindow } from '../time/windows/window.ts';
import type { DataStream } from './data-stream.ts';
import type { CoGroupFunction, JoinFunction } from './join-function.ts';
import type { WindowAssigner } from './window-assigner.ts';
import type { WindowSettings } from './windowed-stream.ts';

/** A record of either stream, as windows hold it: what dynamic gaps, triggers, evictors and late side outputs get. @see Flink TaggedUnion */
export type TaggedUnion<A, B> = { readonly one: A } | { readonly two: B };

/** The inner join of two streams. @see Flink JoinedStreams */
export interface JoinedStreams<A, B> {
  /** The key of the first stream; as that of `keyBy`. */
  where<const K extends Key>(key: (value: A) => K): JoinedWhere<A, B, K>;
}

export interface JoinedWhere<A, B, K extends Key> {
  /** The key of the second stream. */
  equalTo(key: (value: B) => NoInfer<K>): JoinedEqualTo<A, B, K>;
}

export interface JoinedEqualTo<A, B, K extends Key> {
  /** Only records of the same window meet. A duration stands for tumbling windows of event time. */
  window<W extends TimeWindow | GlobalWindow>(assigner: WindowAssigner<TaggedUnion<A, B>, W>): WindowedJoin<A, B, K, W>;
  window(size: Duration): WindowedJoin<A, B, K, TimeWindow>;
}

export interface WindowedJoin<A, B, K extends Key, W extends TimeWindow | GlobalWindow> extends WindowSettings<TaggedUnion<A, B>, W> {
  /**
   * Calls `fn` for each pair of a window that fires; its result has the window's last ms as timestamp. Windows keep all records, of both
   * streams. Needs a `.uid()` (or a `.name()`).
   */
  apply<O>(fn: JoinFunction<A, B, K, W, O>): DataStream<O>;
}

/** Two streams whose records are put together by key and window. @see Flink CoGroupedStreams */
export interface CoGroupedStreams<A, B> {
  /** The key of the first stream; as that of `keyBy`. */
  where<const K extends Key>(key: (value: A) => K): CoGroupedWhere<A, B, K>;
}

export interface CoGroupedWhere<A, B, K extends Key> {
  /** The key of the second stream. */
  equalTo(key: (value: B) => NoInfer<K>): CoGroupedEqualTo<A, B, K>;
}

export interface CoGroupedEqualTo<A, B, K extends Key> {
  /** Only records of the same window meet. A duration stands for tumbling windows of event time. */
  window<W extends TimeWindow | GlobalWindow>(assigner: WindowAssigner<TaggedUnion<A, B>, W>): WindowedCoGroup<A, B, K, W>;
  window(size: Duration): WindowedCoGroup<A, B, K, TimeWindow>;
}

export interface WindowedCoGroup<A, B, K extends Key, W extends TimeWindow | GlobalWindow> extends WindowSettings<TaggedUnion<A, B>, W> {
  /**
   * Calls `fn` for each window that fires; its results have the window's last ms as timestamp. Windows keep all records, of both streams.
   * Needs a `.uid()` (or a `.name()`).
   */
  apply<O = never>(fn: CoGroupFunction<A, B, K, W, O>): DataStream<O>;
}
