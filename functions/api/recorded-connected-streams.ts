import type { Key } from '../shared/key.ts';
import { checkFunction } from './check-function.ts';
import type { ConnectedStreams, KeyedConnectedStreams } from './connected-streams.ts';
import type { CoFlatMapFunction, CoMapFunction, CoProcessFunction, KeyedCoProcessFunction } from './co-process-function.ts';
import type { DataStream } from './data-stream.ts';
import { bindMethods, toProcessShape } from './process-shape.ts';
import type { StateDescriptors } from './state-descriptors.ts';
import type { StreamPair } from './stream-pair.ts';

type AnyCoProcessFunction<A, B, O> = CoProcessFunction<A, B, O> | KeyedCoProcessFunction<A, B, Key, StateDescriptors, O>;

/** Two streams as they are while a pipeline is built, both with a key or both without: planning refuses what they have no key for. */
export class RecordedConnectedStreams<A, B> implements ConnectedStreams<A, B>, KeyedConnectedStreams<A, B, Key> {
  private readonly pair: StreamPair;

  constructor(pair: StreamPair) {
    this.pair = pair;
  }

  map<O>(fn: CoMapFunction<A, B, O>): DataStream<O> {
    return this.pair.append({ kind: 'coMap', ...bindMethods('connect().map', fn, ['map1', 'map2']) });
  }

  flatMap<O>(fn: CoFlatMapFunction<A, B, O>): DataStream<O> {
    return this.pair.append({ kind: 'coFlatMap', ...bindMethods('connect().flatMap', fn, ['flatMap1', 'flatMap2']) });
  }

  process<O>(fn: AnyCoProcessFunction<A, B, O>): DataStream<O> {
    return this.pair.append({
      kind: 'coProcess',
      coProcess: toProcessShape('connect().process', fn, ['processElement1', 'processElement2']),
    });
  }

  keyBy<const K extends Key>(key1: (value: A) => K, key2: (value: B) => NoInfer<K>): KeyedConnectedStreams<A, B, K> {
    return new RecordedConnectedStreams<A, B>(this.pair.keyBy(checkFunction('keyBy', key1), checkFunction('keyBy', key2)));
  }
}
