/** What generated stage entries use, and the types of their events. */
export { createStageHandler } from './stage-handler.ts';
export { openFencedTask } from './fenced-task.ts';
export { openSourceTask } from './source-task.ts';
export type { StageAdapters } from './adapters.ts';
export type { EndEvent, KafkaBatchResponse, KafkaEvent, KafkaEventRecord, LambdaContext, StageHandler } from './lambda.ts';
export type { BatchMetrics } from './metrics.ts';
export { openEmbeddedChannelWriter } from '../channels/embedded/channel-writer.ts';
export { openEmbeddedStateBackend } from '../state/embedded/state-backend.ts';
