import type { Key } from '../shared/key.ts';
import type { StartPosition, StateShape, StopPosition, TopicProduction } from './stage-plan.ts';
import type { WindowShape } from './window-shape.ts';

/**
 * What building a pipeline records: operators and edges, with the user's functions. Nothing here runs. The graph is generic over
 * nothing: the API's types have been checked by then, and the runtime treats values as `unknown`.
 */
export interface LogicalGraph {
  readonly pipeline: string;
  readonly options: PipelineOptions;
  readonly params: Readonly<Record<string, string>>;
  /** In the order of the calls that made them; `id` is the index. */
  readonly nodes: readonly LogicalNode[];
}

export interface PipelineOptions {
  /** Default number of tasks of a stage. @default 4 */
  readonly parallelism?: number;
  /** Key groups, P; fixed for the life of the pipeline's state. @default 128 */
  readonly maxParallelism?: number;
  /** Fragments of a task's state image, F. @default 16 */
  readonly stateFragments?: number;
  /** Attempts of a failing record within one invocation. @default 3 */
  readonly maxAttempts?: number;
  /** What happens to a record that keeps failing. @default 'dead-letter' */
  readonly onError?: 'dead-letter' | 'fail';
  /** Watermarks are rounded down to a multiple of this, in ms. @default 200 */
  readonly watermarkIntervalMs?: number;
  /** Size at which a list of records for one partition is cut into frames. @default 262144 */
  readonly frameBytes?: number;
  /** Most records of one batch, 1 to 10000. @default 1000 */
  readonly batchSize?: number;
  /** Longest wait for a fuller batch in ms, 0 to 300000. @default 500 */
  readonly batchWindowMs?: number;
  /** The mapping understands partial batch responses (provisioned mode). @default false */
  readonly partialBatchResponse?: boolean;
  /** Timeout of one invocation in ms, at most 840000. @default 60000 */
  readonly timeoutMs?: number;
  /** Memory of one function in MiB. @default 512 */
  readonly memoryMb?: number;
  /**
   * Retries before a batch of a stage without a fence goes to the on-failure topic; -1 = until it succeeds. A stage with a fence must
   * never give up (MILLRACE_MAPPING_GIVES_UP). @default -1
   */
  readonly maxRetries?: number;
}

/** An edge of the graph: the main output of `node`, or its side output `side`. */
export interface LogicalEdge {
  readonly node: number;
  readonly side?: string;
}

export interface NodeBase {
  readonly id: number;
  /** Of an operator with two inputs: the first, then the second. */
  readonly inputs: readonly LogicalEdge[];
  /** Typed by the user. */
  readonly uid?: string;
  /** Typed by the user; a uid is derived from it where there is none. */
  readonly name?: string;
  readonly parallelism?: number;
  /** Its stage commits outputs together with the state, and sends them from there. */
  readonly journal?: boolean;
}

export type LogicalNode = NodeBase &
  (
    | { readonly kind: 'source'; readonly source: SourceShape }
    | { readonly kind: 'watermarks'; readonly strategy: WatermarkStrategyShape }
    | { readonly kind: 'map'; readonly map: (value: unknown) => unknown }
    | { readonly kind: 'filter'; readonly filter: (value: unknown) => unknown }
    | { readonly kind: 'flatMap'; readonly flatMap: (value: unknown) => Iterable<unknown> }
    | { readonly kind: 'keyBy'; readonly key: (value: unknown) => Key }
    | { readonly kind: 'reduce'; readonly reduce: (left: unknown, right: unknown) => unknown }
    | { readonly kind: 'aggregate'; readonly aggregate: AggregateShape }
    | { readonly kind: 'process'; readonly process: ProcessShape }
    | { readonly kind: 'window'; readonly window: WindowShape }
    | { readonly kind: 'coMap'; readonly map1: (value: unknown) => unknown; readonly map2: (value: unknown) => unknown }
    | {
        readonly kind: 'coFlatMap';
        readonly flatMap1: (value: unknown) => Iterable<unknown>;
        readonly flatMap2: (value: unknown) => Iterable<unknown>;
      }
    | { readonly kind: 'coProcess'; readonly coProcess: CoProcessShape }
    | { readonly kind: 'broadcastProcess'; readonly broadcastProcess: BroadcastProcessShape }
    | { readonly kind: 'temporalJoin'; readonly temporalJoin: TemporalJoinShape }
    | { readonly kind: 'intervalJoin'; readonly interval: IntervalJoinShape }
    | { readonly kind: 'coGroup'; readonly call: 'join' | 'coGroup'; readonly window: WindowShape }
    | { readonly kind: 'union' }
    | { readonly kind: 'hop'; readonly hop: 'kafka' }
    | { readonly kind: 'sink'; readonly sink: SinkShape }
  );

export type NodeOf<K extends LogicalNode['kind']> = Extract<LogicalNode, { readonly kind: K }>;

/** Running aggregate of a keyed stream: Flink's sum, min, max (one field), minBy, maxBy (the whole record), and count. */
export type AggregateShape = { readonly of: 'count' } | { readonly of: 'sum' | 'min' | 'max' | 'minBy' | 'maxBy'; readonly field: string };

/** As much of connectors/source.ts as planning needs; the runtime reads the rest. */
export interface SourceShape {
  readonly kind: 'topic' | 'feed';
  readonly topics?: readonly string[];
  /** Matches the whole names of the topics that it reads, which `topics` has once they are looked up. */
  readonly pattern?: RegExp;
  readonly bounded?: boolean;
  readonly keyedByRecordKey?: boolean;
  readonly start?: StartPosition;
  readonly stop?: StopPosition;
  readonly group?: string;
  readonly batchSize?: number;
  readonly batchWindowMs?: number;
}

/** As much of connectors/sink.ts as planning needs. */
export interface SinkShape {
  readonly kind: string;
  readonly topic?: string;
  readonly folder?: string;
  readonly collect?: string;
  readonly delivery?: 'at-least-once' | 'exactly-once';
  readonly produces?: TopicProduction;
}

export interface WatermarkStrategyShape {
  /** Event time of a record in ms since the epoch; undefined keeps the record's own timestamp. */
  readonly timestamp?: (value: unknown, recordTimestamp: number | undefined) => number;
  /** How far records may be out of order, in ms; 0 for monotonous timestamps. */
  readonly outOfOrdernessMs: number;
  /** A partition without records for so long holds back no watermark, in ms. */
  readonly idlenessMs?: number;
  /** The watermark that a record brings, in place of its timestamp less the bound. */
  readonly watermark?: (value: unknown, timestamp: number) => number | undefined;
}

/** A (Keyed)ProcessFunction: descriptors of its states, and its functions as the runtime calls them. */
export interface ProcessShape {
  readonly states: Readonly<Record<string, StateDescriptorShape>>;
  readonly processElement: (value: unknown, context: never) => Iterable<unknown> | undefined;
  readonly onTimer?: (time: number, context: never) => Iterable<unknown> | undefined;
}

/** A (Keyed)CoProcessFunction: a function for each input; state and timers are of both. */
export interface CoProcessShape {
  readonly states: Readonly<Record<string, StateDescriptorShape>>;
  readonly processElement1: (value: unknown, context: never) => Iterable<unknown> | undefined;
  readonly processElement2: (value: unknown, context: never) => Iterable<unknown> | undefined;
  readonly onTimer?: (time: number, context: never) => Iterable<unknown> | undefined;
}

/** A (Keyed)BroadcastProcessFunction: every task gets all records of the second input. */
export interface BroadcastProcessShape {
  /** Of the key. */
  readonly states: Readonly<Record<string, StateDescriptorShape>>;
  /** Of each task; map states. */
  readonly broadcastStates: readonly StateDescriptorShape[];
  readonly processElement: (value: unknown, context: never) => Iterable<unknown> | undefined;
  readonly processBroadcastElement: (value: unknown, context: never) => Iterable<unknown> | undefined;
  readonly onTimer?: (time: number, context: never) => Iterable<unknown> | undefined;
}

/** Records of the first input with the version of the second that was valid at their time. */
export interface TemporalJoinShape {
  /** `left`: also records without a version. */
  readonly type: 'inner' | 'left';
  /** Tag of the side output of late records. */
  readonly lateTag?: string;
  readonly join: (value: unknown, version: unknown, context: unknown) => unknown;
}

/** Pairs whose right record is from `lowerMs` to `upperMs` later than the left one, both inclusive. */
export interface IntervalJoinShape {
  readonly lowerMs: number;
  readonly upperMs: number;
  /** Tags of the side outputs of late records. */
  readonly leftLateTag?: string;
  readonly rightLateTag?: string;
  readonly processElement: (left: unknown, right: unknown, context: never) => Iterable<unknown> | undefined;
}

/** When the entries of a state expire: `ms` after the last write or, `onRead`, the last access. */
export interface TtlShape {
  readonly ms: number;
  readonly onRead: boolean;
  /** Whether a read gives what has expired and is still there. */
  readonly returnExpired: boolean;
}

export interface StateDescriptorShape extends StateShape {
  readonly ttl?: TtlShape;
  /** Makes a value of an older version one of `version`. */
  readonly migrate?: (old: unknown, fromVersion: number) => unknown;
  /** A fresh default of a value state; undefined if it has none. */
  readonly initial?: () => unknown;
  /** Reducing state. */
  readonly reduce?: (left: unknown, right: unknown) => unknown;
  /** Aggregating state: Flink's AggregateFunction. */
  readonly aggregate?: {
    readonly createAccumulator: () => unknown;
    readonly add: (accumulator: unknown, value: unknown) => unknown;
    readonly getResult: (accumulator: unknown) => unknown;
  };
}
