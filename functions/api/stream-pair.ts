import type { LogicalEdge } from '../graph/logical-graph.ts';
import type { Key } from '../shared/key.ts';
import type { DataStream } from './data-stream.ts';
import type { GraphRecorder, NodeBody } from './recorder.ts';

/** Two places in the graph that is being recorded, for operators that read both. */
export class StreamPair {
  private readonly recorder: GraphRecorder;
  private readonly edges: readonly [LogicalEdge, LogicalEdge];
  private readonly toStream: <O>(edge: LogicalEdge) => DataStream<O>;

  constructor(recorder: GraphRecorder, edges: readonly [LogicalEdge, LogicalEdge], toStream: <O>(edge: LogicalEdge) => DataStream<O>) {
    this.recorder = recorder;
    this.edges = edges;
    this.toStream = toStream;
  }

  append<O>(body: NodeBody): DataStream<O> {
    return this.toStream({ node: this.recorder.add(body, this.edges) });
  }

  keyBy(key1: (value: never) => Key, key2: (value: never) => Key): StreamPair {
    const [first, second] = this.edges;
    const keyed = (key: (value: never) => Key, edge: LogicalEdge): LogicalEdge => ({
      node: this.recorder.add({ kind: 'keyBy', key: key as (value: unknown) => Key }, [edge]),
    });
    return new StreamPair(this.recorder, [keyed(key1, first), keyed(key2, second)], this.toStream);
  }
}
