import type { Key } from '../shared/key.ts';
import type { DataStream } from './data-stream.ts';
import type { LateTag } from './output-tag.ts';

/** `left` also puts out records for which there was no version. @default 'inner' */
export interface TemporalJoinOptions {
  readonly type?: 'inner' | 'left';
}

/** Which version a record has met. */
export interface TemporalJoinContext<K extends Key> {
  readonly key: K;
  /** Event time of the record in ms: what the result has. */
  readonly timestamp: number;
  /** Event time since which the version is valid; undefined where there is none. */
  readonly versionTimestamp: number | undefined;
}

/** Makes the result of a record and the version that was valid at its event time. Pure. */
export type TemporalJoinFunction<T, V, K extends Key, O> = (value: T, version: V, ctx: TemporalJoinContext<K>) => O;

/** Records that look up the version of their time. @see Flink SQL `JOIN … FOR SYSTEM_TIME AS OF` (temporal join) */
export interface TemporalJoin<T, V, K extends Key> {
  /** Records at or behind the watermark go to this side output; else they are dropped and counted (`lateRecords`). */
  sideOutputLateData(tag: LateTag<T>): this;
  /**
   * One result for each record, when the watermark has reached its time, so that its version cannot change any more. Records wait in state until
   * then; of the versions at or behind the watermark the latest one is kept. What `fn` throws fails all records of that key and time. Needs a
   * `.uid()` (or a `.name()`).
   */
  apply<O>(fn: TemporalJoinFunction<T, V, K, O>): DataStream<O>;
}
