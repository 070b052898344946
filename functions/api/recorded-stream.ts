import { collectSink } from '../connectors/collect/sink.ts';
import { printSink } from '../connectors/print/sink.ts';
import type { Sink } from '../connectors/sink.ts';
import type { AggregateShape, LogicalEdge } from '../graph/logical-graph.ts';
import { checkName, checkUid } from '../graph/names.ts';
import { hasSideOutputs } from '../graph/operators.ts';
import { checkParallelism } from '../graph/settings.ts';
import type { WindowShape } from '../graph/window-shape.ts';
import type { Duration } from '../shared/duration.ts';
import { MillraceError } from '../shared/errors.ts';
import type { Key } from '../shared/key.ts';
import type { GlobalWindow, TimeWindow } from '../time/windows/window.ts';
import type { BroadcastStream } from './broadcast-stream.ts';
import { checkFunction } from './check-function.ts';
import type { DataSet } from './data-set.ts';
import type { DataStream, DataStreamSink, Labels, Stream } from './data-stream.ts';
import type { IntervalJoin } from './interval-join.ts';
import type { CoGroupedStreams, JoinedStreams } from './joined-streams.ts';
import type { KeyedStream } from './keyed-stream.ts';
import type { OutputTag } from './output-tag.ts';
import type { KeyedProcessFunction, ProcessFunction } from './process-function.ts';
import { checkStateless, toProcessShape } from './process-shape.ts';
import { RecordedBroadcastConnectedStream, RecordedBroadcastStream } from './recorded-broadcast-stream.ts';
import { RecordedConnectedStreams } from './recorded-connected-streams.ts';
import type { GraphRecorder, NodeBody } from './recorder.ts';
import { RecordedIntervalJoin, UNBOUNDED } from './recorded-interval-join.ts';
import { RecordedMeeting } from './recorded-joined-streams.ts';
import { RecordedTemporalJoin } from './recorded-temporal-join.ts';
import type { StateDescriptors } from './state-descriptors.ts';
import { StreamPair } from './stream-pair.ts';
import type { TemporalJoin, TemporalJoinOptions } from './temporal-join.ts';
import type { WatermarkStrategy } from './watermark-strategy.ts';
import { RecordedDataSet } from './recorded-data-set.ts';
import { RecordedAllWindowedStream, RecordedWindowedStream } from './recorded-windowed-stream.ts';
import type { WindowAssigner } from './window-assigner.ts';
import { countWindows, parseAssigner } from './window-draft.ts';
import type { AllWindowedStream, WindowedStream } from './windowed-stream.ts';

type Unary = (value: unknown) => unknown;

/** Streams as they are while a pipeline is built: a place in the graph that is being recorded. */
abstract class RecordedStream<T> implements Stream<T> {
  protected readonly recorder: GraphRecorder;
  protected readonly edge: LogicalEdge;

  constructor(recorder: GraphRecorder, edge: LogicalEdge) {
    this.recorder = recorder;
    this.edge = edge;
  }

  map<O>(fn: (value: T) => O): DataStream<O> {
    return this.append({ kind: 'map', map: checkFunction('map', fn) as Unary });
  }

  filter<S extends T>(predicate: (value: T) => value is S): DataStream<S>;
  filter(predicate: (value: T) => unknown): DataStream<T>;
  filter(predicate: (value: T) => unknown): DataStream<T> {
    return this.append({ kind: 'filter', filter: checkFunction('filter', predicate) as Unary });
  }

  flatMap<O>(fn: (value: T) => Iterable<O>): DataStream<O> {
    return this.append({ kind: 'flatMap', flatMap: checkFunction('flatMap', fn) as (value: unknown) => Iterable<unknown> });
  }

  keyBy<const K extends Key>(key: (value: T) => K): KeyedStream<T, K> {
    const node = this.add({ kind: 'keyBy', key: checkFunction('keyBy', key) as (value: unknown) => Key });
    return new RecordedKeyedStream(this.recorder, { node });
  }

  union(...others: readonly Stream<T>[]): DataStream<T> {
    const inputs = [this, ...others].map((stream) => this.edgeOf('union', stream));
    return new RecordedDataStream(this.recorder, { node: this.recorder.add({ kind: 'union' }, inputs) });
  }

  /* The types have these for streams with or without a key only; what JavaScript users make of it is refused while planning. */

  connect<B>(other: BroadcastStream<B>): RecordedBroadcastConnectedStream<T, B>;
  connect<B>(other: Stream<B>): RecordedConnectedStreams<T, B>;
  connect<B>(other: Stream<B> | BroadcastStream<B>): RecordedBroadcastConnectedStream<T, B> | RecordedConnectedStreams<T, B> {
    if (other instanceof RecordedBroadcastStream)
      return new RecordedBroadcastConnectedStream(this.pairWith('connect', other.stream), other.states);
    return new RecordedConnectedStreams(this.pairWith('connect', other as Stream<B>));
  }

  intervalJoin<B, K extends Key>(other: Stream<B>): IntervalJoin<T, B, K> {
    return new RecordedIntervalJoin(this.pairWith('intervalJoin', other), UNBOUNDED);
  }

  temporalJoin<V, K extends Key>(versions: Stream<V>, { type = 'inner' }: TemporalJoinOptions = {}): TemporalJoin<T, V, K> {
    return new RecordedTemporalJoin(this.pairWith('temporalJoin', versions), { type });
  }

  join<B>(other: Stream<B>): JoinedStreams<T, B> {
    return new RecordedMeeting('join', this.pairWith('join', other));
  }

  coGroup<B>(other: Stream<B>): CoGroupedStreams<T, B> {
    return new RecordedMeeting('coGroup', this.pairWith('coGroup', other));
  }

  broadcast(...states: BroadcastStream<T>['states']): BroadcastStream<T> {
    return new RecordedBroadcastStream(this, states);
  }

  assignTimestampsAndWatermarks(strategy: WatermarkStrategy<NoInfer<T>>): DataStream<T> {
    return this.append({ kind: 'watermarks', strategy });
  }

  windowAll<W extends TimeWindow | GlobalWindow>(assigner: WindowAssigner<T, W> | Duration): AllWindowedStream<T, W> {
    return new RecordedAllWindowedStream<T, W>((window) => this.appendWindowAll(window), parseAssigner(assigner));
  }

  countWindowAll(size: number, slide?: number): AllWindowedStream<T, GlobalWindow> {
    return new RecordedAllWindowedStream<T, GlobalWindow>((window) => this.appendWindowAll(window), countWindows(size, slide));
  }

  sinkTo(sink: Sink<T>): DataStreamSink {
    if (typeof (sink as Partial<Sink<T>> | undefined)?.open !== 'function') {
      throw new MillraceError('MILLRACE_OPTION_INVALID', 'sinkTo() needs a sink, for example kafka.sink({ topic, value: json() })');
    }
    return new RecordedSink(this.recorder, this.add({ kind: 'sink', sink }));
  }

  collect(name: string): DataStreamSink {
    return this.sinkTo(collectSink(checkName('the name of collect()', name)));
  }

  print(prefix?: string): DataStreamSink {
    return this.sinkTo(printSink(prefix));
  }

  protected append<O>(body: NodeBody): DataStream<O> {
    return new RecordedDataStream(this.recorder, { node: this.add(body) });
  }

  /** One key for all records, in one task. */
  private appendWindowAll<O>(window: WindowShape): DataStream<O> {
    const key = this.add({ kind: 'keyBy', key: () => '' });
    return new RecordedDataStream(this.recorder, { node: this.recorder.add({ kind: 'window', window, parallelism: 1 }, [{ node: key }]) });
  }

  private add(body: NodeBody): number {
    return this.recorder.add(body, [this.edge]);
  }

  /** This stream and another of the same pipeline. */
  private pairWith(method: string, other: Stream<unknown>): StreamPair {
    const edges = [this.edge, this.edgeOf(method, other)] as const;
    return new StreamPair(this.recorder, edges, (edge) => new RecordedDataStream(this.recorder, edge));
  }

  private edgeOf(method: string, stream: Stream<unknown>): LogicalEdge {
    if (stream instanceof RecordedStream && stream.recorder === this.recorder) return stream.edge;
    throw new MillraceError(
      'MILLRACE_STREAM_FOREIGN',
      `${method}() was given what is no stream of this pipeline: give one, and join pipelines through a topic`,
    );
  }
}

export class RecordedDataStream<T> extends RecordedStream<T> implements DataStream<T> {
  toDataSet(): DataSet<T> {
    this.recorder.checkBounded(this.edge.node);
    return new RecordedDataSet(this, () => this.recorder.size);
  }

  process<O = never>(fn: ProcessFunction<T, O>): DataStream<O> {
    checkStateless(fn);
    return this.append({ kind: 'process', process: toProcessShape('process', fn, ['processElement']) });
  }

  getSideOutput<S>(tag: OutputTag<S>): DataStream<S> {
    const { node } = this.edge;
    const on = this.recorder.at(node);
    if (!hasSideOutputs(on)) {
      throw new MillraceError(
        'MILLRACE_OPTION_INVALID',
        `getSideOutput('${tag.name}') was called behind ${on.kind}(), which has no side outputs: call it on what .process() or a window returned`,
      );
    }
    return new RecordedDataStream(this.recorder, { node, side: tag.name });
  }

  /** For JavaScript users: the types don't have it. */
  window(): never {
    throw new MillraceError(
      'MILLRACE_STATE_WITHOUT_KEY',
      'window() needs a key: call .keyBy() before it, or .windowAll() for the whole stream',
    );
  }

  hop(kind: 'kafka'): DataStream<T> {
    const given: unknown = kind;
    if (given !== 'kafka') {
      throw new MillraceError('MILLRACE_HOP_UNSUPPORTED', `hop(${JSON.stringify(given)}) is not supported: hops are 'kafka'`);
    }
    return this.append({ kind: 'hop', hop: kind });
  }

  journal(): this {
    const { kind } = this.recorder.at(this.edge.node);
    if (kind === 'union' || kind === 'hop') {
      throw new MillraceError(
        'MILLRACE_OPTION_INVALID',
        `journal() was called behind ${kind}(), which runs nothing: call it on an operator of the stage whose outputs are to be journaled`,
      );
    }
    this.recorder.label(this.edge.node, { journal: true });
    return this;
  }

  uid(uid: string): this {
    this.recorder.label(this.edge.node, { uid: checkUid(uid) });
    return this;
  }

  name(name: string): this {
    this.recorder.label(this.edge.node, { name });
    return this;
  }

  setParallelism(parallelism: number): this {
    this.recorder.label(this.edge.node, { parallelism: checkParallelism(parallelism) });
    return this;
  }
}

class RecordedKeyedStream<T, K extends Key> extends RecordedStream<T> implements KeyedStream<T, K> {
  reduce(fn: (held: T, next: T) => T): DataStream<T> {
    return this.append({ kind: 'reduce', reduce: checkFunction('reduce', fn) as (left: unknown, right: unknown) => unknown });
  }

  sum(field: string): DataStream<T> {
    return this.aggregate({ of: 'sum', field });
  }

  min(field: string): DataStream<T> {
    return this.aggregate({ of: 'min', field });
  }

  max(field: string): DataStream<T> {
    return this.aggregate({ of: 'max', field });
  }

  minBy(field: string): DataStream<T> {
    return this.aggregate({ of: 'minBy', field });
  }

  maxBy(field: string): DataStream<T> {
    return this.aggregate({ of: 'maxBy', field });
  }

  count(): DataStream<{ readonly key: K; readonly count: number }> {
    return this.aggregate({ of: 'count' });
  }

  window<W extends TimeWindow | GlobalWindow>(assigner: WindowAssigner<T, W> | Duration): WindowedStream<T, K, W> {
    return new RecordedWindowedStream<T, K, W>((window) => this.append({ kind: 'window', window }), parseAssigner(assigner));
  }

  countWindow(size: number, slide?: number): WindowedStream<T, K, GlobalWindow> {
    return new RecordedWindowedStream<T, K, GlobalWindow>((window) => this.append({ kind: 'window', window }), countWindows(size, slide));
  }

  process<O, D extends StateDescriptors>(fn: KeyedProcessFunction<T, K, D, O>): DataStream<O> {
    return this.append({ kind: 'process', process: toProcessShape('process', fn, ['processElement']) });
  }

  private aggregate<O>(aggregate: AggregateShape): DataStream<O> {
    return this.append({ kind: 'aggregate', aggregate });
  }
}

class RecordedSink implements Labels {
  private readonly recorder: GraphRecorder;
  private readonly node: number;

  constructor(recorder: GraphRecorder, node: number) {
    this.recorder = recorder;
    this.node = node;
  }

  uid(uid: string): this {
    this.recorder.label(this.node, { uid: checkUid(uid) });
    return this;
  }

  name(name: string): this {
    this.recorder.label(this.node, { name });
    return this;
  }

  setParallelism(parallelism: number): this {
    this.recorder.label(this.node, { parallelism: checkParallelism(parallelism) });
    return this;
  }
}
