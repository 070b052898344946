import type { Codec } from '../codec/codec.ts';
import type { Source } from '../connectors/source.ts';
import type { DataSet } from './data-set.ts';
import type { DataStream } from './data-stream.ts';

export interface ParamOptions {
  /** Value if none is given. */
  readonly default?: string;
}

export interface SourceOptions {
  /** Identity of the source: names its stage, its topic where Millrace fills one, and its consumer group. Unique in the pipeline. */
  readonly uid: string;
  /** For people. */
  readonly name?: string;
  /** Partitions of the topic that a feeder fills; not for a topic of somebody else, which has its own. */
  readonly parallelism?: number;
}

export interface CollectionOptions<T> extends Partial<SourceOptions> {
  /** How the elements are written to the source's topic. @default any value that a stream can carry, as it is */
  readonly value?: Codec<T>;
}

/**
 * What a pipeline's build function gets: its sources and its parameters.
 *
 * @see Flink StreamExecutionEnvironment
 */
export interface Environment {
  /**
   * A value given with `--param name=value` when the pipeline is planned. It becomes part of the plan, so every function builds the same
   * graph.
   *
   * @throws MILLRACE_PARAM_MISSING it is not given and has no default.
   */
  param(name: string, options?: ParamOptions): string;
  /** A bounded stream of these values. */
  fromElements<T>(...values: readonly T[]): DataStream<T>;
  /** A bounded stream of the values of an array (or another iterable, read once, now). */
  fromCollection<T>(values: Iterable<T>, options?: CollectionOptions<T>): DataStream<T>;
  fromSource<T>(source: Source<T>, options: SourceOptions): DataStream<T>;
  /**
   * The records of a source that has an end, as a set.
   *
   * @throws MILLRACE_INPUT_UNBOUNDED
   * @example env.dataSet(file.source({ path: 'orders.csv', format: 'csv', schema: Order }), { uid: 'orders' })
   */
  dataSet<T>(source: Source<T>, options: SourceOptions): DataSet<T>;
}
