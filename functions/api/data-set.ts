import type { Sink } from '../connectors/sink.ts';
import type { Key } from '../shared/key.ts';
import type { DataStream, DataStreamSink, Labels } from './data-stream.ts';
import type { FieldsOf } from './keyed-stream.ts';
import type { AggregateFunction } from './window-function.ts';

/** What may be sorted by. */
export type SortKey = string | number | bigint | Date;

/** What sets of records and their groups can be reduced to. Results come out when the input has ended. */
export interface Aggregations<T> {
  /** The reduction of the records. Pure. */
  reduce(fn: (held: T, next: T) => T): DataSet<T>;
  /** The result of an aggregate function, which keeps one accumulator. */
  aggregate<Acc, Out>(fn: AggregateFunction<T, Acc, Out>): DataSet<Out>;

  /* eslint-disable @typescript-eslint/no-unnecessary-type-parameters -- as in KeyedStream */

  /** The first record, with `field` the sum. */
  sum<F extends FieldsOf<T, number>>(field: F): DataSet<T>;
  /** The first record, with `field` the smallest value. */
  min<F extends FieldsOf<T, number>>(field: F): DataSet<T>;
  /** The first record, with `field` the largest value. */
  max<F extends FieldsOf<T, number>>(field: F): DataSet<T>;
  /** The whole record with the smallest `field`; the first among equals. */
  minBy<F extends FieldsOf<T, number | string>>(field: F): DataSet<T>;
  /** The whole record with the largest `field`; the first among equals. */
  maxBy<F extends FieldsOf<T, number | string>>(field: F): DataSet<T>;

  /* eslint-enable @typescript-eslint/no-unnecessary-type-parameters */

  /** The first `n` records, in the order in which they come; which these are is certain only behind `sortPartition`. */
  first(n: number): DataSet<T>;
}

/**
 * Records that have an end. The same engine as for streams runs them; what needs all of them (groups, joins, sorting) keeps state and puts out
 * when the input has ended. Records of groups come in the order of their keys. An operator's `.uid()` may be left out: then it is made of its place in the file.
 *
 * @see Flink DataSet
 */
export interface DataSet<T> extends Aggregations<T>, Labels {
  map<O>(fn: (value: T) => O): DataSet<O>;
  /** Keeps the records for which `predicate` is truthy; a type guard narrows the set. */
  filter<S extends T>(predicate: (value: T) => value is S): DataSet<S>;
  filter(predicate: (value: T) => unknown): DataSet<T>;
  flatMap<O>(fn: (value: T) => Iterable<O>): DataSet<O>;
  /** Groups records with equal keys in one task; `key` as in `keyBy`. Costs a hop. */
  groupBy<const K extends Key>(key: (value: T) => K): GroupedDataSet<T, K>;
  /** User code over all records, in one task, which keeps them all. */
  reduceGroup<O = never>(fn: (records: readonly T[]) => Iterable<O> | undefined): DataSet<O>;
  /** The number of records, in one task; nothing where there are none. */
  count(): DataSet<number>;
  /** One record of each key, the first that comes; without `key` the records themselves are keys. */
  distinct(this: DataSet<Key>): DataSet<T>;
  // eslint-disable-next-line @typescript-eslint/unified-signatures -- the other one is for sets of keys alone
  distinct(key: (value: T) => Key): DataSet<T>;
  /** All records in the order of `key`, in one task, equal ones as they came. Behind it only what keeps the order does: a `map`, `first`, a sink. */
  sortPartition(key: (value: T) => SortKey, order?: 'ascending' | 'descending'): DataSet<T>;
  union(...others: readonly DataSet<T>[]): DataSet<T>;
  /**
   * Pairs of a record of each set with equal keys.
   *
   * @example orders.join(customers).where((order) => order.customer).equalTo((customer) => customer.id).with((order, customer) => ({ ...order, customer }))
   */
  join<R>(right: DataSet<R>): Where<T, JoinTarget<T, R>>;
  /** The records of both sets by key, also of keys that only one of them has. */
  coGroup<R>(right: DataSet<R>): Where<T, CoGroupTarget<T, R>>;
  /** The same records as a stream, with the end that they have. */
  toStream(): DataStream<T>;
  /** As `collect` of a stream. @see Flink DataSet `collect` */
  collect(name: string): DataStreamSink;
  /** @see Flink DataSet `output` */
  writeTo(sink: Sink<T>): DataStreamSink;
  print(prefix?: string): DataStreamSink;
}

/** Groups of records with equal keys. @see Flink GroupedDataSet (UnsortedGrouping) */
export interface GroupedDataSet<T, K extends Key> extends Aggregations<T> {
  /** User code over all records of a group, which keeps them all. */
  reduceGroup<O = never>(fn: (records: readonly T[], key: K) => Iterable<O> | undefined): DataSet<O>;
  count(): DataSet<{ readonly key: K; readonly count: number }>;
}

/** The key of the left side. */
export interface Where<L, Target> {
  where(key: (left: L) => Key): Target;
}

/** The key of the right side of a join. */
export interface JoinTarget<L, R> {
  equalTo(key: (right: R) => Key): JoinedDataSet<L, R>;
}

/** The key of the right side of a co-group. */
export interface CoGroupTarget<L, R> {
  equalTo(key: (right: R) => Key): CoGroupedDataSets<L, R>;
}

/** Pairs of records with equal keys. */
export interface JoinedDataSet<L, R> extends DataSet<readonly [left: L, right: R]> {
  with<O>(fn: (left: L, right: R) => O): DataSet<O>;
}

/** Records of two sets by key. */
export interface CoGroupedDataSets<L, R> {
  with<O = never>(fn: (left: readonly L[], right: readonly R[]) => Iterable<O> | undefined): DataSet<O>;
}
