import type { NodeOf } from '../graph/logical-graph.ts';
import type { WindowFunctionShape } from '../graph/window-shape.ts';
import type { Duration } from '../shared/duration.ts';
import type { Key } from '../shared/key.ts';
import type { GlobalWindow, TimeWindow } from '../time/windows/window.ts';
import { checkFunction } from './check-function.ts';
import type { DataStream } from './data-stream.ts';
import type { CoGroupFunction, JoinContext, JoinFunction } from './join-function.ts';
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

type AnyKey = (value: never) => Key;

/** Two streams that are to meet in windows, whatever has been said of them; nothing is recorded before `apply`. */
export class RecordedMeeting<A, B, K extends Key, W extends TimeWindow | GlobalWindow>
  extends RecordedWindowSettings<TaggedUnion<A, B>, W>
  implements
    JoinedStreams<A, B>,
    JoinedWhere<A, B, K>,
    JoinedEqualTo<A, B, K>,
    WindowedJoin<A, B, K, W>,
    CoGroupedStreams<A, B>,
    CoGroupedWhere<A, B, K>,
    CoGroupedEqualTo<A, B, K>,
    WindowedCoGroup<A, B, K, W>
{
  private readonly call: NodeOf<'coGroup'>['call'];
  private readonly pair: StreamPair;
  private readonly keys: readonly AnyKey[];

  /** Without windows, records would meet in one that never fires: planning refuses that, and keys that are missing. */
  constructor(
    call: NodeOf<'coGroup'>['call'],
    pair: StreamPair,
    keys: readonly AnyKey[] = [],
    draft: WindowDraft = { assigner: { kind: 'global' }, allowedLatenessMs: 0 },
  ) {
    super(draft);
    this.call = call;
    this.pair = pair;
    this.keys = keys;
  }

  where<const K extends Key>(key: (value: A) => K): RecordedMeeting<A, B, K, W> {
    return new RecordedMeeting(this.call, this.pair, [checkFunction('where', key)]);
  }

  equalTo(key: (value: B) => NoInfer<K>): RecordedMeeting<A, B, K, W> {
    return new RecordedMeeting(this.call, this.pair, [...this.keys, checkFunction('equalTo', key)]);
  }

  window<W extends TimeWindow | GlobalWindow>(assigner: WindowAssigner<TaggedUnion<A, B>, W> | Duration): RecordedMeeting<A, B, K, W> {
    return new RecordedMeeting(this.call, this.pair, this.keys, parseAssigner(assigner));
  }

  apply<O>(fn: JoinFunction<A, B, K, W, O> | CoGroupFunction<A, B, K, W, O>): DataStream<O> {
    const { call, pair, keys, draft } = this;
    const [key1, key2] = keys;
    const apply = toWindowFunction(call, checkFunction('apply', fn) as AnyFunction);
    const window = { ...draft, contents: { kind: 'elements' }, apply, label: labelOf(draft, call), all: false } as const;
    return (key1 && key2 ? pair.keyBy(key1, key2) : pair).append({ kind: 'coGroup', call, window });
  }

  protected redraw(draft: WindowDraft): this {
    return new RecordedMeeting<A, B, K, W>(this.call, this.pair, this.keys, draft) as this;
  }
}

type AnyFunction = (first: unknown, second: unknown, ctx: JoinContext<Key, TimeWindow>) => unknown;

function toWindowFunction(call: NodeOf<'coGroup'>['call'], fn: AnyFunction): WindowFunctionShape {
  const process = (
    key: Key,
    elements: readonly Partial<Readonly<Record<'one' | 'two', unknown>>>[],
    { window }: { readonly window: TimeWindow },
  ): unknown => {
    const of = (input: 'one' | 'two'): unknown[] => elements.filter((element) => input in element).map((element) => element[input]);
    const [first, second] = [of('one'), of('two')];
    const ctx = { key, window };
    return call === 'coGroup' ? fn(first, second, ctx) : pairs(first, second, (one, two) => fn(one, two, ctx));
  };
  return { globalStates: {}, windowStates: {}, process: process as WindowFunctionShape['process'] };
}

function* pairs(first: readonly unknown[], second: readonly unknown[], fn: (one: unknown, two: unknown) => unknown): Generator {
  for (const one of first) for (const two of second) yield fn(one, two);
}
