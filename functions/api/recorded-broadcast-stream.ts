import type { BroadcastProcessShape } from '../graph/logical-graph.ts';
import { MillraceError } from '../shared/errors.ts';
import type { Key } from '../shared/key.ts';
import type { BroadcastProcessFunction, KeyedBroadcastProcessFunction } from './broadcast-process-function.ts';
import type { BroadcastConnectedStream, BroadcastStream, KeyedBroadcastConnectedStream } from './broadcast-stream.ts';
import type { DataStream, Stream } from './data-stream.ts';
import { checkMethods, checkStateless, checkStateNames } from './process-shape.ts';
import type { StateDescriptor, StateDescriptors } from './state-descriptors.ts';
import type { StreamPair } from './stream-pair.ts';

type States = BroadcastStream<unknown>['states'];
type Call = BroadcastProcessShape['processElement'];

export class RecordedBroadcastStream<B> implements BroadcastStream<B> {
  readonly stream: Stream<B>;
  readonly states: States;

  constructor(stream: Stream<B>, states: States) {
    this.stream = stream;
    this.states = states;
    const other = states.find((state) => (state as Partial<StateDescriptor<unknown>> | undefined)?.kind !== 'map');
    if (states.length > 0 && other === undefined) return;
    throw new MillraceError(
      'MILLRACE_OPTION_INVALID',
      "broadcast() needs map states: give .broadcast(mapState('rules', Types.string, Types.json()))",
    );
  }
}

/** A stream and one that is broadcast, as they are while a pipeline is built. */
export class RecordedBroadcastConnectedStream<T, B> implements BroadcastConnectedStream<T, B> {
  private readonly pair: StreamPair;
  private readonly states: States;

  constructor(pair: StreamPair, states: States) {
    this.pair = pair;
    this.states = states;
  }

  process<O>(fn: BroadcastProcessFunction<T, B, O>): DataStream<O> {
    checkStateless(fn, 'its stream has no key: call .keyBy() before .connect()');
    return record(this.pair, this.states, fn);
  }
}

export class RecordedKeyedBroadcastConnectedStream<T, B, K extends Key> implements KeyedBroadcastConnectedStream<T, B, K> {
  private readonly pair: StreamPair;
  private readonly states: States;

  constructor(pair: StreamPair, states: States) {
    this.pair = pair;
    this.states = states;
  }

  process<O, D extends StateDescriptors>(fn: KeyedBroadcastProcessFunction<T, B, K, D, O>): DataStream<O> {
    return record(this.pair, this.states, fn);
  }
}

interface AnyBroadcastProcessFunction {
  readonly state?: StateDescriptors | undefined;
  processElement(value: never, ctx: never): unknown;
  processBroadcastElement(value: never, ctx: never): unknown;
  onTimer?(time: number, ctx: never): unknown;
}

function record<O>(pair: StreamPair, broadcastStates: States, fn: AnyBroadcastProcessFunction): DataStream<O> {
  checkMethods('connect().process()', fn, ['processElement', 'processBroadcastElement']);
  const states = fn.state ?? {};
  checkStateNames('a process function', states);
  checkStateNames('broadcast()', Object.fromEntries(broadcastStates.entries()));
  return pair.append({
    kind: 'broadcastProcess',
    broadcastProcess: {
      states: Object.freeze({ ...states }),
      broadcastStates: Object.freeze([...broadcastStates]),
      processElement: fn.processElement.bind(fn) as Call,
      processBroadcastElement: fn.processBroadcastElement.bind(fn) as Call,
      ...(fn.onTimer !== undefined && { onTimer: fn.onTimer.bind(fn) as BroadcastProcessShape['onTimer'] & object }),
    },
  });
}
