import type { NodeOf } from '../graph/logical-graph.ts';
import type { WindowFunctionShape } from '../graph/window-shape.ts';
import type { Duration } from '../shared/duration.ts';
import { MillraceError } from '../shared/errors.ts';
import type { Key } from '../shared/key.ts';
import type { GlobalWindow, TimeWindow } from '../time/windows/window.ts';
import { checkFunction } from './check-function.ts';
import type { DataStream } from './data-stream.ts';
import type { CoGroupFunction, JoinFunction } from './join-function.ts';
import type {
  CoGroupedEqualTo,
  CoGroupedStreams,
  CoGroupedWhere,
  JoinedEqualTo,
  JoinedStreams,
  JoinedWhere,
  TaggedUnion,
  WindowedCoGroup,
  WindowedJoin,
} from './joined-streams.ts';
import { RecordedWindowSettings } from './recorded-window-settings.ts';
import type { StreamPair } from './stream-pair.ts';
import type { WindowAssigner } from './window-assigner.ts';
import { labelOf, parseAssigner, type WindowDraft } from './window-draft.ts';

type Call = NodeOf<'coGroup'>['call'];
type AnyKey = (value: never) => Key;
type Elements = readonly TaggedUnion<unknown, unknown>[];

/** Two streams that are to meet in windows; nothing is recorded before it is said what becomes of the records. */
export class RecordedMeeting<A, B> implements JoinedStreams<A, B>, CoGroupedStreams<A, B> {
  private readonly call: Call;
  private readonly pair: StreamPair;

  constructor(call: Call, pair: StreamPair) {
    this.call = call;
    this.pair = pair;
  }

  where<const K extends Key>(key: (value: A) => K): RecordedWhere<A, B, K> {
    return new RecordedWhere(this.call, this.pair, checkFunction('where', key));
  }

  /** For JavaScript users: the types don't have it. */
  window(): never {
    throw keysMissing(this.call);
  }
}

class RecordedWhere<A, B, K extends Key> implements JoinedWhere<A, B, K>, CoGroupedWhere<A, B, K> {
  private readonly call: Call;
  private readonly pair: StreamPair;
  private readonly key1: AnyKey;

  constructor(call: Call, pair: StreamPair, key1: AnyKey) {
    this.call = call;
    this.pair = pair;
    this.key1 = key1;
  }

  equalTo(key: (value: B) => NoInfer<K>): RecordedEqualTo<A, B, K> {
    return new RecordedEqualTo(this.call, this.pair, [this.key1, checkFunction('equalTo', key)]);
  }

  /** For JavaScript users: the types don't have it. */
  window(): never {
    throw keysMissing(this.call);
  }
}

class RecordedEqualTo<A, B, K extends Key> implements JoinedEqualTo<A, B, K>, CoGroupedEqualTo<A, B, K> {
  private readonly call: Call;
  private readonly pair: StreamPair;
  private readonly keys: readonly [AnyKey, AnyKey];

  constructor(call: Call, pair: StreamPair, keys: readonly [AnyKey, AnyKey]) {
    this.call = call;
    this.pair = pair;
    this.keys = keys;
  }

  window<W extends TimeWindow | GlobalWindow>(assigner: WindowAssigner<TaggedUnion<A, B>, W> | Duration): RecordedPairWindows<A, B, K, W> {
    const { call, pair, keys } = this;
    const append = <O>(draft: WindowDraft, apply: WindowFunctionShape): DataStream<O> =>
      pair.keyBy(...keys).append({
        kind: 'coGroup',
        call,
        window: { ...draft, contents: { kind: 'elements' }, apply, label: labelOf(draft, call), all: false },
      });
    return new RecordedPairWindows(call, append, parseAssigner(assigner));
  }

  /** For JavaScript users: the types don't have it. */
  apply(): never {
    throw new MillraceError(
      'MILLRACE_OPTION_INVALID',
      `${this.call}() needs windows, or its state would grow for ever: call .window(…) before .apply(), or join with .intervalJoin()`,
    );
  }
}

type Append = <O>(draft: WindowDraft, apply: WindowFunctionShape) => DataStream<O>;

class RecordedPairWindows<A, B, K extends Key, W extends TimeWindow | GlobalWindow>
  extends RecordedWindowSettings<TaggedUnion<A, B>, W>
  implements WindowedJoin<A, B, K, W>, WindowedCoGroup<A, B, K, W>
{
  private readonly call: Call;
  private readonly append: Append;

  constructor(call: Call, append: Append, draft: WindowDraft) {
    super(draft);
    this.call = call;
    this.append = append;
  }

  apply<O>(fn: JoinFunction<A, B, K, W, O> | CoGroupFunction<A, B, K, W, O>): DataStream<O> {
    checkFunction('apply', fn);
    return this.append(this.draft, this.call === 'join' ? joining(fn as never) : coGrouping(fn as never));
  }

  protected redraw(draft: WindowDraft): this {
    return new RecordedPairWindows<A, B, K, W>(this.call, this.append, draft) as this;
  }
}

function joining(fn: JoinFunction<unknown, unknown, Key, TimeWindow, unknown>): WindowFunctionShape {
  return shapeOf(function* (first, second, ctx) {
    for (const one of first) for (const two of second) yield fn(one, two, ctx);
  });
}

function coGrouping(fn: CoGroupFunction<unknown, unknown, Key, TimeWindow, unknown>): WindowFunctionShape {
  return shapeOf((first, second, ctx) => fn(first, second, ctx) ?? undefined);
}

function shapeOf(
  call: (
    first: readonly unknown[],
    second: readonly unknown[],
    ctx: { readonly key: Key; readonly window: TimeWindow },
  ) => Iterable<unknown> | undefined,
): WindowFunctionShape {
  const process = (key: Key, elements: Elements, { window }: { readonly window: TimeWindow }): Iterable<unknown> | undefined => {
    const first = elements.flatMap((element) => ('one' in element ? [element.one] : []));
    const second = elements.flatMap((element) => ('two' in element ? [element.two] : []));
    return call(first, second, { key, window });
  };
  return { globalStates: {}, windowStates: {}, process: process as WindowFunctionShape['process'] };
}

function keysMissing(call: Call): MillraceError {
  return new MillraceError('MILLRACE_STATE_WITHOUT_KEY', `${call}() has no keys: call .where(key).equalTo(key) before .window()`);
}
