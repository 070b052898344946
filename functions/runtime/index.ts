/** What generated stage entries use, and the types of their events. */
export { createStageHandler } from './stage-handler.ts';
export { openFencedTask } from './fenced-task.ts';
export { openSourceTask } from './source-task.ts';
export { openTransactionalTask } from './transactional-task.ts';
export { aggregateOperator } from '../operators/aggregate.ts';
export { broadcastProcessOperator } from '../operators/broadcast-process.ts';
export { coFlatMapOperator } from '../operators/co-flat-map.ts';
export { coGroupOperator } from '../operators/co-group.ts';
export { coMapOperator } from '../operators/co-map.ts';
export { coProcessOperator } from '../operators/co-process.ts';
export { filterOperator } from '../operators/filter.ts';
export { flatMapOperator } from '../operators/flat-map.ts';
export { intervalJoinOperator } from '../operators/interval-join.ts';
export { keyByOperator } from '../operators/key-by.ts';
export { mapOperator } from '../operators/map.ts';
export { processOperator } from '../operators/process.ts';
export { reduceOperator } from '../operators/reduce.ts';
export { temporalJoinOperator } from '../operators/temporal-join.ts';
export { watermarksOperator } from '../operators/watermarks.ts';
export { windowOperator } from '../operators/window/window-operator.ts';
export { openLivingState } from '../state/living-state.ts';
export type { StageAdapters } from './adapters.ts';
export type { EndEvent, KafkaBatchResponse, KafkaEvent, KafkaEventRecord, LambdaContext, StageHandler } from './lambda.ts';
export type { BatchMetrics } from './metrics.ts';
export {
  openEmbeddedLog,
  openEmbeddedState,
  openEmbeddedTransactions,
  openKafkaLog,
  openKafkaTransactions,
  openLz4,
  openSnappy,
  openZooKeeperState,
  openZstd,
} from './openers.ts';
