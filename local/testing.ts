/** Everything public of `millrace/testing`: run stages and pipelines in a test, with faults, without services. */
export { kafkaEvent, type KafkaEventOptions, type TestRecord } from './testing/kafka-event.ts';
export { ManualClock } from './testing/manual-clock.ts';
export { millraceMatchers, type MillraceMatchers } from './testing/matchers.ts';
export { runPipeline, type PipelineRun, type PipelineTestOptions } from './testing/run-pipeline.ts';
export { runStage, type ChannelInput } from './testing/run-stage.ts';
export type { ChannelRecord, DeadLetterRecord, SinkRecord, StageOutputs, StageRun } from './testing/stage-run.ts';
export type { Fault } from './testing/faults.ts';
export type { TestOptions } from './testing/world.ts';
