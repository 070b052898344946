import type { Sink } from '../connectors/sink.ts';
import type { Duration } from '../shared/duration.ts';
import type { Key } from '../shared/key.ts';
import type { GlobalWindow, TimeWindow } from '../time/windows/window.ts';
import type { BroadcastConnectedStream, BroadcastStream } from './broadcast-stream.ts';
import type { ConnectedStreams } from './connected-streams.ts';
import type { CoGroupedStreams, JoinedStreams } from './joined-streams.ts';
import type { DataSet } from './data-set.ts';
import type { KeyedStream } from './keyed-stream.ts';
import type { OutputTag } from './output-tag.ts';
import type { ProcessFunction } from './process-function.ts';
import type { MapState } from './state.ts';
import type { StateDescriptor } from './state-descriptors.ts';
import type { WatermarkStrategy } from './watermark-strategy.ts';
import type { WindowAssigner } from './window-assigner.ts';
import type { AllWindowedStream } from './windowed-stream.ts';

/**
 * What all streams can do. Calls only record operators. Functions given here run later, inside a stage: they must be synchronous and
 * deterministic, and what they throw fails one record, not the pipeline.
 */
export interface Stream<T> {
  map<O>(fn: (value: T) => O): DataStream<O>;
  /** Keeps the records for which `predicate` is truthy; a type guard narrows the stream. */
  filter<S extends T>(predicate: (value: T) => value is S): DataStream<S>;
  filter(predicate: (value: T) => unknown): DataStream<T>;
  /** Puts out each item of the returned iterable: an array, a generator. */
  flatMap<O>(fn: (value: T) => Iterable<O>): DataStream<O>;
  /**
   * Partitions the stream: records with equal keys meet in one task, in the order in which each upstream task sent them. Begins a new
   * stage, so it costs one hop, unless the source is already partitioned by this key (`keyedByRecordKey`).
   *
   * @param key - Pure function of one record; its bytes are hashed with murmur3, modulo `maxParallelism`. A key of another type than
   * string, finite number, bytes or a tuple of these fails that record with MILLRACE_KEY_TYPE.
   * @see Flink DataStream `keyBy`
   */
  keyBy<const K extends Key>(key: (value: T) => K): KeyedStream<T, K>;
  /** All records of these streams, in no fixed order between them. Streams of different stages meet in a new one, over one hop. */
  union(...others: readonly Stream<T>[]): DataStream<T>;
  /**
   * Pairs of records of this stream and another one that have equal keys and are in one window. Begins a new stage: one hop.
   *
   * @example
   * orders.join(payments).where((order) => order.id).equalTo((payment) => payment.order).window('1 hour')
   *   .apply((order, payment) => ({ ...order, paid: payment.amount })).uid('paid')
   * @see Flink DataStream `join`
   */
  join<B>(other: Stream<B>): JoinedStreams<T, B>;
  /**
   * As `join`, with all records of a key and window at once, also where only one of the streams has any: for outer joins.
   *
   * @see Flink DataStream `coGroup`
   */
  coGroup<B>(other: Stream<B>): CoGroupedStreams<T, B>;
  /**
   * For `connect`: every record goes to every task of the other stream, which keeps what it makes of them in these map states.
   *
   * @throws MILLRACE_OPTION_INVALID for states of other kinds, or none.
   * @see Flink DataStream `broadcast`
   */
  broadcast(...states: readonly StateDescriptor<MapState<string | number, unknown>>[]): BroadcastStream<T>;
  /**
   * Gives records an event time, and moves the watermark with it. Only in a stage that reads a source, before the first keyBy, union or
   * hop, so that what is late does not depend on how streams interleave.
   */
  assignTimestampsAndWatermarks(strategy: WatermarkStrategy<NoInfer<T>>): DataStream<T>;
  /**
   * Groups all records by time, in one task: every record of the stream goes through it. A duration stands for tumbling windows of event time.
   *
   * @see Flink DataStream `windowAll`
   */
  windowAll<W extends TimeWindow | GlobalWindow>(assigner: WindowAssigner<T, W>): AllWindowedStream<T, W>;
  windowAll(size: Duration): AllWindowedStream<T, TimeWindow>;
  /** As `countWindow` of a keyed stream, over all records, in one task. */
  countWindowAll(size: number, slide?: number): AllWindowedStream<T, GlobalWindow>;
  sinkTo(sink: Sink<T>): DataStreamSink;
  /**
   * Collects the records for whoever runs the pipeline: `runPipeline` and `millrace dev --json` give them under this name when the input has
   * ended, each once. For results that fit into memory.
   *
   * @param name - 1 to 64 of a-z, A-Z, 0-9, `_` and `-`; unique in the pipeline.
   * @throws MILLRACE_OPTION_INVALID
   * @see Flink DataStream `executeAndCollect`
   */
  collect(name: string): DataStreamSink;
  /** Prints records for people: at most ten lines a second and task; the rest is counted. */
  print(prefix?: string): DataStreamSink;
}

/** Names the operator that was just added. */
export interface Labels {
  /** Sets its identity: of its state, and of the stage that begins with it. Unique in the pipeline. */
  uid(uid: string): this;
  /** For people. A stateful operator without a uid derives one from it. */
  name(name: string): this;
  /** Sets its number of tasks. Another number than that of its stage begins a new stage. */
  setParallelism(parallelism: number): this;
}

/**
 * A stream of records without a key.
 *
 * @see Flink DataStream and SingleOutputStreamOperator
 */
export interface DataStream<T> extends Stream<T>, Labels {
  /**
   * The same records as a set, if the stream has an end: `DataSet` has groups, joins and sorting over all of them.
   *
   * @throws MILLRACE_INPUT_UNBOUNDED
   */
  toDataSet(): DataSet<T>;
  /** User code with side outputs, without state: for state and timers call `.keyBy()` first. */
  process<O = never>(fn: ProcessFunction<T, O>): DataStream<O>;
  /**
   * Reads this stream and another one, of any type, in one operator that tells them apart. To share state, connect two keyed streams.
   *
   * @see Flink DataStream `connect`
   */
  connect<B>(other: DataStream<B>): ConnectedStreams<T, B>;
  /** Reads each record in one task, and every record that is broadcast in all of them. @see Flink BroadcastConnectedStream */
  connect<B>(other: BroadcastStream<B>): BroadcastConnectedStream<T, B>;
  /** What the process or window function just added puts out under `tag`, or a window's late records. */
  getSideOutput<S>(tag: OutputTag<S>): DataStream<S>;
  /**
   * Ends the stage here: what follows runs in a function of its own, over a durable Kafka channel. The work is spread over the next
   * stage's tasks by each record's origin.
   */
  hop(kind: 'kafka'): DataStream<T>;
  /**
   * For functions that are not deterministic: the stage of the operator just added commits what it puts out together with its state, and
   * sends it from there. A crash then sends the very same bytes again, where another stage would run its functions again. Costs the bytes of
   * the outputs in the state store with every batch, and a fence for a source stage that would have none; such a stage is never run
   * twice to compare.
   *
   * @throws MILLRACE_OPTION_INVALID behind a union or a hop, which are no operators.
   */
  journal(): this;
}

/** The end of a stream. */
export type DataStreamSink = Labels;
