/** Everything public of `millrace`. */
import * as file from './connectors/file/index.ts';
import * as kafka from './connectors/kafka/index.ts';

export { file, kafka };

export { pipeline, isPipeline, type BuildFunction, type Pipeline } from './api/pipeline.ts';
export type {
  BroadcastContext,
  BroadcastProcessFunction,
  BroadcastReader,
  BroadcastWriter,
  KeyedBroadcastContext,
  KeyedBroadcastProcessFunction,
  ReadOnlyBroadcastContext,
  ReadOnlyMapState,
} from './api/broadcast-process-function.ts';
export type { BroadcastConnectedStream, BroadcastStream, KeyedBroadcastConnectedStream } from './api/broadcast-stream.ts';
export type { CoFlatMapFunction, CoMapFunction, CoProcessFunction, KeyedCoProcessFunction } from './api/co-process-function.ts';
export type { Connected, ConnectedStreams, KeyedConnectedStreams } from './api/connected-streams.ts';
export type { CollectionOptions, Environment, ParamOptions, SourceOptions } from './api/environment.ts';
export type {
  Aggregations,
  CoGroupedDataSets,
  CoGroupTarget,
  DataSet,
  GroupedDataSet,
  JoinedDataSet,
  JoinTarget,
  SortKey,
  Where,
} from './api/data-set.ts';
export type { DataStream, DataStreamSink, Labels, Stream } from './api/data-stream.ts';
export {
  CountEvictor,
  DeltaEvictor,
  TimeEvictor,
  type BuiltInEvictor,
  type Evictor,
  type EvictorContext,
  type TimestampedValue,
} from './api/evictor.ts';
export type { IntervalJoin, IntervalJoined, ProcessJoinContext, ProcessJoinFunction } from './api/interval-join.ts';
export type { CoGroupFunction, JoinContext, JoinFunction } from './api/join-function.ts';
export type {
  CoGroupedEqualTo,
  CoGroupedStreams,
  CoGroupedWhere,
  JoinedEqualTo,
  JoinedStreams,
  JoinedWhere,
  TaggedUnion,
  WindowedCoGroup,
  WindowedJoin,
} from './api/joined-streams.ts';
export type { FieldsOf, KeyedStream } from './api/keyed-stream.ts';
export type {
  KeyedProcessContext,
  KeyedProcessFunction,
  OnTimerContext,
  Outputs,
  ProcessContext,
  ProcessFunction,
  TimerService,
} from './api/process-function.ts';
export { outputTag, type LateTag, type OutputTag } from './api/output-tag.ts';
export type { AggregatingState, ListState, MapState, ReducingState, ValueState } from './api/state.ts';
export {
  aggregatingState,
  listState,
  mapState,
  reducingState,
  valueState,
  type AggregatingStateOptions,
  type ReducingStateOptions,
  type StateDescriptor,
  type StateDescriptors,
  type StateOptions,
  type StatesOf,
  type StateTtl,
} from './api/state-descriptors.ts';
export type { TemporalJoin, TemporalJoinContext, TemporalJoinFunction, TemporalJoinOptions } from './api/temporal-join.ts';
export {
  ContinuousEventTimeTrigger,
  ContinuousProcessingTimeTrigger,
  CountTrigger,
  EventTimeTrigger,
  ProcessingTimeTrigger,
  PurgingTrigger,
  type BuiltInTrigger,
  type OnMergeContext,
  type Trigger,
  type TriggerContext,
} from './api/trigger.ts';
export { Types, type TypeOf, type TypeToken, type TypeWitness } from './api/types.ts';
export { WatermarkStrategy, type TimestampAssigner, type WatermarkFunction } from './api/watermark-strategy.ts';
export {
  EventTimeSessionWindows,
  GlobalWindows,
  ProcessingTimeSessionWindows,
  SlidingEventTimeWindows,
  SlidingProcessingTimeWindows,
  TumblingEventTimeWindows,
  TumblingProcessingTimeWindows,
  type SessionWindows,
  type SlidingWindows,
  type TumblingWindows,
  type WindowAssigner,
} from './api/window-assigner.ts';
export type {
  AggregateFunction,
  AllWindowFunction,
  NoStates,
  ProcessAllWindowFunction,
  ProcessWindowFunction,
  WindowContext,
  WindowFunction,
} from './api/window-function.ts';
export type { AllWindowedStream, Windowed, WindowedStream, WindowSettings } from './api/windowed-stream.ts';

export type { ChannelWriter, OnRefused, OutgoingMessage } from './channels/channel-writer.ts';

export type { Codec } from './codec/codec.ts';
export { bytes } from './codec/bytes.ts';
export { json, type JsonOptions } from './codec/json.ts';
export { string } from './codec/string.ts';

export type { FileSinkOptions } from './connectors/file/sink.ts';
export type { FileSourceOptions } from './connectors/file/source.ts';
export type { KafkaPartitioner, KafkaPartitioning } from './connectors/kafka/partitioner.ts';
export type { KafkaSinkOptions } from './connectors/kafka/sink.ts';
export type { KafkaRecord, KafkaSourceOptions } from './connectors/kafka/source.ts';
export type { AppliedInput, OutputOrigin, RefusedOutput, Sink, SinkContext, SinkWriter } from './connectors/sink.ts';
export type { FeedSource, Source, SourceMessage, TopicSource } from './connectors/source.ts';

export type {
  AggregateShape,
  BroadcastProcessShape,
  CoProcessShape,
  IntervalJoinShape,
  LogicalEdge,
  LogicalGraph,
  LogicalNode,
  NodeBase,
  PipelineOptions,
  ProcessShape,
  SinkShape,
  SourceShape,
  StateDescriptorShape,
  TemporalJoinShape,
  WatermarkStrategyShape,
} from './graph/logical-graph.ts';
export type { StartPosition, StateShape, StopPosition, TopicProduction } from './graph/stage-plan.ts';
export type {
  AggregateFunctionShape,
  AssignerShape,
  ContentsShape,
  CustomTriggerShape,
  EvictFunction,
  EvictorShape,
  TriggerResult,
  TriggerShape,
  WindowFunctionShape,
  WindowShape,
  WindowTime,
} from './graph/window-shape.ts';
export type { Duration } from './shared/duration.ts';
export { ERROR_CODES, isMillraceError, MillraceError, type ErrorCode, type ErrorDomain, type RetryHint } from './shared/errors.ts';
export type { Key } from './shared/key.ts';
export type { GlobalWindow, TimeWindow } from './time/windows/window.ts';
