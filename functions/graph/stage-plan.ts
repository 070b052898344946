/**
 * The physical plan: what runs where. Plain data (JSON in, JSON out), made from the logical graph by `planPipeline`; user functions stay
 * in the graph and are found again by node id, because building a pipeline is deterministic.
 */
export interface PipelinePlan {
  /** Version of this format. */
  readonly format: 1;
  readonly pipeline: string;
  readonly namespace: string;
  /** Changes whenever the numbering of origins does (topic recreated, channel rescaled); kept in the lock file. */
  readonly generation: number;
  /** P: number of key groups. */
  readonly maxParallelism: number;
  /** F: fragments of a task's state image. */
  readonly stateFragments: number;
  /** Values of `env.param`, so that a function builds the same graph that was planned. */
  readonly params: Readonly<Record<string, string>>;
  readonly settings: PlanSettings;
  readonly stages: readonly StagePlan[];
  readonly channels: readonly ChannelPlan[];
  /** Topics that a feeder fills from sources that are no topics. */
  readonly feeds: readonly FeedPlan[];
  /** Users' topics that sinks write to. */
  readonly sinkTopics: readonly string[];
  /** Topics of records that are collected for whoever runs the pipeline, if any are. */
  readonly collects?: readonly CollectPlan[];
  /** Folders that sinks write to, if any do. */
  readonly sinkFolders?: readonly string[];
  readonly deadLetterTopic: string;
}

export interface PlanSettings {
  /** Attempts of one record within one invocation before it becomes a dead letter. */
  readonly maxAttempts: number;
  /** `dead-letter`: a failing record goes to the dead-letter topic; `fail`: it blocks its partition. */
  readonly onError: 'dead-letter' | 'fail';
  /** Watermarks travel rounded down to a multiple of this, in ms. */
  readonly watermarkIntervalMs: number;
  /** A list of records for one partition is cut into frames of about this many bytes. */
  readonly frameBytes: number;
  /** Event source mapping: most records in one batch. */
  readonly batchSize: number;
  /** Event source mapping: longest wait for a fuller batch, in ms. */
  readonly batchWindowMs: number;
  /** True where the mapping understands partial batch responses (Lambda's provisioned mode); elsewhere one would count as success. */
  readonly partialBatchResponse: boolean;
  /** Timeout of one function invocation, in ms. */
  readonly timeoutMs: number;
  /** Memory of one function, in MiB. */
  readonly memoryMb: number;
  /** Retries of a stage without a fence before its batch goes to the on-failure topic; -1 = until it succeeds. */
  readonly maxRetries: number;
}

/**
 * Where reading begins in a partition of which nothing has been read; later runs go on where the one before was. `timestamp`: at the first
 * record that is not older, in ms. `offsets`: by topic and partition; a partition that is not named begins at its earliest record.
 */
export type StartPosition =
  'earliest' | 'latest' | { readonly timestamp: number } | { readonly offsets: Readonly<Record<string, Readonly<Record<number, number>>>> };

/**
 * Where reading ends: before the offsets that are the latest at the first start, before the first record that is not older than `timestamp` in
 * ms, or at offsets by topic and partition; a partition that is not named ends at its latest. Never behind what is the latest then.
 */
export type StopPosition = Exclude<StartPosition, 'earliest'>;

export interface StagePlan {
  /** Unique in the pipeline, stable over code changes; part of function, group and task names. */
  readonly id: string;
  /** `<namespace>.<pipeline>.<stage>`: of its function, its transactions and its on-failure topic. */
  readonly name: string;
  /** Tasks = input partitions; null where an external topic decides it. */
  readonly parallelism: number | null;
  readonly input: StageInput;
  /** In topological order. */
  readonly operators: readonly OperatorPlan[];
  readonly outputs: readonly StageOutput[];
  /** Whether its tasks keep a fence (and state): every stage that reads a channel, and source stages with state. */
  readonly fenced: boolean;
  /** Whether its outputs are committed together with the state and only then sent, so its functions need not be deterministic. */
  readonly journal: boolean;
  /** Whether it has an exactly-once sink. Without a fence the offset committed in the sink's transactions takes the fence's place. */
  readonly transactional: boolean;
  /** How its sinks write to topics, by topic, where a sink says so. */
  readonly produces: Readonly<Record<string, TopicProduction>>;
  /** Consumer group of its mapping: its name, unless a source was given another. */
  readonly group: string;
}

/** How sinks write to one topic of a user; what is missing is as it is for everything else. */
export interface TopicProduction {
  /** Replicas that acknowledge a message: all that are in sync, the leader alone, or none. */
  readonly acks?: 'all' | 1 | 0;
  readonly compression?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  /** Of one request, by the client. */
  readonly retries?: number;
  readonly idempotent?: boolean;
  /** `event-time`: the record's; needs a topic with CreateTime. `log-append`: the broker's; needs one with LogAppendTime. */
  readonly timestamps?: 'event-time' | 'log-append';
}

export type StageInput = SourceInput | ChannelInput;

export interface SourceInput {
  readonly kind: 'source';
  /** Node of the source in the logical graph. */
  readonly node: number;
  readonly uid: string;
  readonly topics: readonly string[];
  /** What `topics` were found by, as a regular expression is written; null where they were named. */
  readonly pattern: string | null;
  readonly start: StartPosition;
  /** Of this source's mapping, where it has its own. @default - those of the settings */
  readonly batchSize?: number;
  readonly batchWindowMs?: number;
  /** A partition without records for so long counts as idle, in ms. @default - none ever does */
  readonly idlenessMs?: number;
  /** True where the records of the topic end: once the feeder is through, or where `stop` says. */
  readonly bounded: boolean;
  /** Of a topic of somebody else. */
  readonly stop?: StopPosition;
}

export interface ChannelInput {
  readonly kind: 'channel';
  readonly channel: string;
  readonly topic: string;
  readonly hop: 'kafka';
  /** Everyone who writes to the channel. Tag = index of the edge, in each record. */
  readonly upstreams: readonly { readonly stage: string; readonly parallelism: number | null }[];
}

export interface OperatorPlan {
  /** Node id in the logical graph. */
  readonly node: number;
  readonly kind: string;
  /** Typed or derived by the user; null for stateless operators without one. */
  readonly uid: string | null;
  readonly name: string;
  /** Where its records come from: operators of this stage, or the stage's input by tag. */
  readonly inputs: readonly OperatorEdge[];
  /** Of an operator with two inputs: where those of the second come from. */
  readonly secondInputs?: readonly OperatorEdge[];
  /** True if it runs under the key of a keyBy. */
  readonly keyed: boolean;
  readonly states: readonly StateShape[];
}

/** An edge inside a stage: from the operator `node` (its side output `side`), or from the stage's input (`input`: tag; 0 for a source). */
export type OperatorEdge = { readonly node: number; readonly side?: string } | { readonly input: number };

/** A state of an operator; all but `ttlMs`, which may change at any time, is guarded by the lock file. */
export interface StateShape {
  readonly name: string;
  readonly kind: 'value' | 'list' | 'map' | 'reducing' | 'aggregating';
  /** Printable type, for example `number` or `object`. */
  readonly type: string;
  /** Of what it holds. @default 1 */
  readonly version?: number;
  /** How long what it holds lives, in ms. @default - until it is cleared */
  readonly ttlMs?: number;
}

/** An edge out of the stage, into a channel. */
export interface StageOutput {
  readonly channel: string;
  readonly topic: string;
  readonly partitions: number;
  /** Where the records come from; `input` where the stage hands its input on unchanged. */
  readonly from: OperatorEdge;
  /** Input tag that the records get in the channel. */
  readonly tag: number;
  /**
   * `key`: by the key of the keyBy node `keyNode`, which is evaluated here; `rebalance`: by the record's origin; `broadcast`: to every
   * partition.
   */
  readonly partitioner: 'key' | 'rebalance' | 'broadcast';
  readonly keyNode: number | null;
}

export interface ChannelPlan {
  /** Id of the stage that reads it. */
  readonly id: string;
  readonly topic: string;
  readonly hop: 'kafka';
  readonly partitions: number;
}

export interface CollectPlan {
  readonly name: string;
  /** Of one partition. */
  readonly topic: string;
}

export interface FeedPlan {
  readonly uid: string;
  readonly node: number;
  readonly topic: string;
  readonly partitions: number;
}
