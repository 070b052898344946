import type { Key } from '../shared/key.ts';
import type { BroadcastProcessFunction, KeyedBroadcastProcessFunction } from './broadcast-process-function.ts';
import type { BroadcastConnectedStream, BroadcastStream, KeyedBroadcastConnectedStream } from './broadcast-stream.ts';
import type { DataStream, Stream } from './data-stream.ts';
import { toProcessShape } from './process-shape.ts';
import type { StateDescriptors } from './state-descriptors.ts';
import type { StreamPair } from './stream-pair.ts';

type States = BroadcastStream<unknown>['states'];

export class RecordedBroadcastStream<B> implements BroadcastStream<B> {
  readonly stream: Stream<B>;
  readonly states: States;

  constructor(stream: Stream<B>, states: States) {
    this.stream = stream;
    this.states = states;
  }
}

type AnyBroadcastProcessFunction<T, B, O> =
  BroadcastProcessFunction<T, B, O> | KeyedBroadcastProcessFunction<T, B, Key, StateDescriptors, O>;

/** A stream and one that is broadcast, as they are while a pipeline is built; planning refuses state of a key that there is not. */
export class RecordedBroadcastConnectedStream<T, B> implements BroadcastConnectedStream<T, B>, KeyedBroadcastConnectedStream<T, B, Key> {
  private readonly pair: StreamPair;
  private readonly states: States;

  constructor(pair: StreamPair, states: States) {
    this.pair = pair;
    this.states = states;
  }

  process<O>(fn: AnyBroadcastProcessFunction<T, B, O>): DataStream<O> {
    const shape = toProcessShape('connect().process', fn, ['processElement', 'processBroadcastElement']);
    return this.pair.append({ kind: 'broadcastProcess', broadcastProcess: { ...shape, broadcastStates: this.states } });
  }
}
