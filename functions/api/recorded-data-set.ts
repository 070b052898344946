import type { Sink } from '../connectors/sink.ts';
import { batchUid } from '../graph/names.ts';
import { MillraceError } from '../shared/errors.ts';
import type { Key } from '../shared/key.ts';
import type { GlobalWindow } from '../time/windows/window.ts';
import type { CoGroupTarget, DataSet, GroupedDataSet, JoinedDataSet, JoinTarget, SortKey, Where } from './data-set.ts';
import type { DataStream, DataStreamSink } from './data-stream.ts';
import type { KeyedStream } from './keyed-stream.ts';
import { valueState } from './state-descriptors.ts';
import { EventTimeTrigger, positiveCount, PurgingTrigger } from './trigger.ts';
import { GlobalWindows } from './window-assigner.ts';
import type { AggregateFunction } from './window-function.ts';
import type { AllWindowedStream, WindowedStream } from './windowed-stream.ts';

/** Gives each operator of a build another number. */
export type Numbering = () => number;

/** The end of a global window is the end of the input. */
function atEnd<W extends { trigger(trigger: ReturnType<typeof PurgingTrigger.of>): W }>(windows: W): W {
  return windows.trigger(PurgingTrigger.of(EventTimeTrigger.create()));
}

const COUNT: AggregateFunction<unknown, number, number> = {
  createAccumulator: () => 0,
  add: (count) => count + 1,
  getResult: (count) => count,
};

/** What sets and groups share: folds that come out at the end. */
abstract class Folds<T> {
  protected readonly numbering: Numbering;

  constructor(numbering: Numbering) {
    this.numbering = numbering;
  }

  reduce(fn: (held: T, next: T) => T): DataSet<T> {
    return this.named('reduce', this.windows().reduce(fn));
  }

  aggregate<Acc, Out>(fn: AggregateFunction<T, Acc, Out>): DataSet<Out> {
    return this.named('aggregate', this.windows().aggregate(fn));
  }

  sum(field: never): DataSet<T> {
    return this.named('sum', this.windows().sum(field));
  }

  min(field: never): DataSet<T> {
    return this.named('min', this.windows().min(field));
  }

  max(field: never): DataSet<T> {
    return this.named('max', this.windows().max(field));
  }

  minBy(field: never): DataSet<T> {
    return this.named('minBy', this.windows().minBy(field));
  }

  maxBy(field: never): DataSet<T> {
    return this.named('maxBy', this.windows().maxBy(field));
  }

  protected abstract windows(): AllWindowedStream<T, GlobalWindow> | WindowedStream<T, Key, GlobalWindow>;

  /** State has a name, whether the user gives one or not. */
  protected named<O>(method: string, stream: DataStream<O>): RecordedDataSet<O> {
    return new RecordedDataSet(stream.uid(batchUid(this.numbering(), method)), this.numbering);
  }

  protected firstOf(n: number, keyed: KeyedStream<T, Key>): RecordedDataSet<T> {
    const most = positiveCount('first()', n);
    const seen = keyed.process<T>({
      state: { seen: valueState<number>('seen', { default: 0 }) },
      processElement(value, { state }) {
        const before = (state as { seen: { value(): number; update(value: number): void } }).seen;
        if (before.value() >= most) return [];
        before.update(before.value() + 1);
        return [value];
      },
    });
    return this.named('first', seen);
  }
}

/** A set of records: a stream that is known to end. */
export class RecordedDataSet<T> extends Folds<T> implements DataSet<T> {
  private readonly stream: DataStream<T>;

  constructor(stream: DataStream<T>, numbering: Numbering) {
    super(numbering);
    this.stream = stream;
  }

  map<O>(fn: (value: T) => O): DataSet<O> {
    return this.on(this.stream.map(fn));
  }

  filter<S extends T>(predicate: (value: T) => value is S): DataSet<S>;
  filter(predicate: (value: T) => unknown): DataSet<T>;
  filter(predicate: (value: T) => unknown): DataSet<T> {
    return this.on(this.stream.filter(predicate));
  }

  flatMap<O>(fn: (value: T) => Iterable<O>): DataSet<O> {
    return this.on(this.stream.flatMap(fn));
  }

  groupBy<const K extends Key>(key: (value: T) => K): GroupedDataSet<T, K> {
    return new RecordedGroups(this.stream.keyBy(key), this.numbering);
  }

  reduceGroup<O>(fn: (records: readonly T[]) => Iterable<O> | undefined): DataSet<O> {
    return this.named(
      'reduceGroup',
      this.windows().apply((_window, records) => fn(records)),
    );
  }

  count(): DataSet<number> {
    return this.named('count', this.windows().aggregate(COUNT));
  }

  distinct(key: (value: T) => Key = (value) => value as Key): DataSet<T> {
    return this.named('distinct', this.firstOfEach(key));
  }

  sortPartition(key: (value: T) => SortKey, order: 'ascending' | 'descending' = 'ascending'): DataSet<T> {
    if (typeof key !== 'function') throw invalid('sortPartition() needs a function that gives what to sort by');
    const given: unknown = order;
    if (given !== 'ascending' && given !== 'descending')
      throw invalid(`sortPartition() was given ${JSON.stringify(given)}: give 'ascending' or 'descending'`);
    const compare = comparing(key, order === 'ascending' ? 1 : -1);
    return this.named(
      'sortPartition',
      this.windows().apply((_window, records) => records.toSorted(compare)),
    );
  }

  first(n: number): DataSet<T> {
    const first = this.firstOf(
      n,
      this.stream.keyBy(() => ''),
    );
    return first.setParallelism(1);
  }

  union(...others: readonly DataSet<T>[]): DataSet<T> {
    return this.on(this.stream.union(...others.map((other) => other.toStream())));
  }

  join<R>(right: DataSet<R>): Where<T, JoinTarget<T, R>> {
    const joined = (keys: PairKeys<T, R>): JoinedDataSet<T, R> => {
      const pairs = this.coGrouped(right, keys, 'join', (lefts, rights) => lefts.flatMap((l) => rights.map((r) => [l, r] as const)));
      const withPairs = <O>(fn: (left: T, rightValue: R) => O): DataSet<O> => pairs.map(([l, r]) => fn(l, r));
      return Object.assign(pairs, { with: withPairs });
    };
    return { where: (left) => ({ equalTo: (rightKey) => joined({ left, right: rightKey }) }) };
  }

  coGroup<R>(right: DataSet<R>): Where<T, CoGroupTarget<T, R>> {
    return {
      where: (left) => ({
        equalTo: (rightKey) => ({ with: (fn) => this.coGrouped(right, { left, right: rightKey }, 'coGroup', fn) }),
      }),
    };
  }

  collect(name: string): DataStreamSink {
    return this.stream.collect(name);
  }

  toStream(): DataStream<T> {
    return this.stream;
  }

  writeTo(sink: Sink<T>): DataStreamSink {
    return this.stream.sinkTo(sink);
  }

  print(prefix?: string): DataStreamSink {
    return this.stream.print(prefix);
  }

  uid(uid: string): this {
    this.stream.uid(uid);
    return this;
  }

  name(name: string): this {
    this.stream.name(name);
    return this;
  }

  setParallelism(parallelism: number): this {
    this.stream.setParallelism(parallelism);
    return this;
  }

  protected windows(): AllWindowedStream<T, GlobalWindow> {
    return atEnd(this.stream.windowAll(GlobalWindows.create()));
  }

  private on<O>(stream: DataStream<O>): RecordedDataSet<O> {
    return new RecordedDataSet(stream, this.numbering);
  }

  private firstOfEach(key: (value: T) => Key): DataStream<T> {
    return atEnd(this.stream.keyBy(key).window(GlobalWindows.create())).reduce((held) => held);
  }

  /** Both sides in one channel, each record with its side before it. */
  private coGrouped<R, O>(
    right: DataSet<R>,
    keys: PairKeys<T, R>,
    method: string,
    fn: (left: readonly T[], right: readonly R[]) => Iterable<O> | undefined,
  ): RecordedDataSet<O> {
    if (typeof keys.left !== 'function' || typeof keys.right !== 'function')
      throw invalid(`${method}() needs two keys: .where((left) => …).equalTo((right) => …)`);
    const lefts: DataStream<Sided<T, R>> = this.stream.map((value) => [0, value]);
    const rights: DataStream<Sided<T, R>> = right.toStream().map((value) => [1, value]);
    const sides = lefts.union(rights).keyBy((sided) => (sided[0] === 0 ? keys.left(sided[1]) : keys.right(sided[1])));
    const groups = atEnd(sides.window(GlobalWindows.create())).apply((_key, _window, both) =>
      fn(
        both.flatMap((sided) => (sided[0] === 0 ? [sided[1]] : [])),
        both.flatMap((sided) => (sided[0] === 1 ? [sided[1]] : [])),
      ),
    );
    return this.named(method, groups);
  }
}

interface PairKeys<L, R> {
  readonly left: (value: L) => Key;
  readonly right: (value: R) => Key;
}

type Sided<L, R> = readonly [side: 0, value: L] | readonly [side: 1, value: R];

class RecordedGroups<T, K extends Key> extends Folds<T> implements GroupedDataSet<T, K> {
  private readonly keyed: KeyedStream<T, K>;

  constructor(keyed: KeyedStream<T, K>, numbering: Numbering) {
    super(numbering);
    this.keyed = keyed;
  }

  reduceGroup<O>(fn: (records: readonly T[], key: K) => Iterable<O> | undefined): DataSet<O> {
    return this.named(
      'reduceGroup',
      this.windows().apply((key, _window, records) => fn(records, key)),
    );
  }

  count(): DataSet<{ readonly key: K; readonly count: number }> {
    return this.named(
      'count',
      this.windows().aggregate(COUNT, (key, _window, counts) => counts.map((count) => ({ key, count }))),
    );
  }

  first(n: number): DataSet<T> {
    return this.firstOf(n, this.keyed);
  }

  protected windows(): WindowedStream<T, K, GlobalWindow> {
    return atEnd(this.keyed.window(GlobalWindows.create()));
  }
}

function comparing<T>(key: (value: T) => SortKey, sign: 1 | -1): (left: T, right: T) => number {
  return (left, right) => {
    const [l, r] = [key(left), key(right)];
    return l < r ? -sign : l > r ? sign : 0;
  };
}

function invalid(message: string): MillraceError {
  return new MillraceError('MILLRACE_OPTION_INVALID', message);
}
