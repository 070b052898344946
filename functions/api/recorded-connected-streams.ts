import type { Key } from '../shared/key.ts';
import { checkFunction } from './check-function.ts';
import type { ConnectedStreams, KeyedConnectedStreams } from './connected-streams.ts';
import type { CoFlatMapFunction, CoMapFunction, CoProcessFunction, KeyedCoProcessFunction } from './co-process-function.ts';
import type { DataStream } from './data-stream.ts';
import { checkMethods, checkStateless, toCoProcessShape } from './process-shape.ts';
import type { StateDescriptors } from './state-descriptors.ts';
import type { StreamPair } from './stream-pair.ts';

type Unary = (value: unknown) => unknown;
type Flat = (value: unknown) => Iterable<unknown>;

/** Two streams as they are while a pipeline is built. */
class RecordedPair<A, B> {
  protected readonly pair: StreamPair;

  constructor(pair: StreamPair) {
    this.pair = pair;
  }

  map<O>(fn: CoMapFunction<A, B, O>): DataStream<O> {
    checkMethods('connect().map()', fn, ['map1', 'map2']);
    return this.pair.append({ kind: 'coMap', map1: fn.map1.bind(fn) as Unary, map2: fn.map2.bind(fn) as Unary });
  }

  flatMap<O>(fn: CoFlatMapFunction<A, B, O>): DataStream<O> {
    checkMethods('connect().flatMap()', fn, ['flatMap1', 'flatMap2']);
    return this.pair.append({ kind: 'coFlatMap', flatMap1: fn.flatMap1.bind(fn) as Flat, flatMap2: fn.flatMap2.bind(fn) as Flat });
  }
}

export class RecordedConnectedStreams<A, B> extends RecordedPair<A, B> implements ConnectedStreams<A, B> {
  process<O>(fn: CoProcessFunction<A, B, O>): DataStream<O> {
    checkStateless(fn, 'its streams have no key: call .keyBy() on both before .connect()');
    return this.pair.append({ kind: 'coProcess', coProcess: toCoProcessShape(fn) });
  }

  keyBy<const K extends Key>(key1: (value: A) => K, key2: (value: B) => NoInfer<K>): KeyedConnectedStreams<A, B, K> {
    return new RecordedKeyedConnectedStreams(this.pair.keyBy(checkFunction('keyBy', key1), checkFunction('keyBy', key2)));
  }
}

export class RecordedKeyedConnectedStreams<A, B, K extends Key> extends RecordedPair<A, B> implements KeyedConnectedStreams<A, B, K> {
  process<O, D extends StateDescriptors>(fn: KeyedCoProcessFunction<A, B, K, D, O>): DataStream<O> {
    return this.pair.append({ kind: 'coProcess', coProcess: toCoProcessShape(fn) });
  }
}
