import type { Pipeline } from '../../functions/api/pipeline.ts';
import { FrameListWriter } from '../../functions/codec/frame-writer.ts';
import type { StagePlan } from '../../functions/graph/stage-plan.ts';
import type { KafkaEvent, KafkaEventRecord } from '../../functions/runtime/lambda.ts';
import { MillraceError } from '../../functions/shared/errors.ts';
import type { Key } from '../../functions/shared/key.ts';
import type { StageRun } from './stage-run.ts';
import { type TestOptions, TestWorld } from './world.ts';

/** Input of a stage that reads a channel: records as the stage before it would send them. */
export interface ChannelInput {
  readonly records: readonly {
    readonly value: unknown;
    /** What the stage's `keyBy` gives for the value. */
    readonly key?: Key;
    /** Event time in ms. */
    readonly timestamp?: number;
  }[];
  /** The watermark behind the records, from every task of every upstream stage; fires event-time timers. */
  readonly watermark?: number;
}

/**
 * Runs one stage's handler with one event, on a store and a log in memory.
 *
 * @param stage - The stage's id, as `millrace plan` prints it.
 * @param input - An event from `kafkaEvent` for a stage that reads a topic, else the records of its channel.
 * @throws what the handler throws.
 * @throws MILLRACE_OPTION_INVALID one of `faults` is unknown or has not fired.
 * @example
 * const run = await runStage(pipeline, 'count', { records: [{ key: 'a', value: 1 }, { key: 'a', value: 2 }] });
 */
export async function runStage(
  pipeline: Pipeline,
  stage: string,
  input: KafkaEvent | ChannelInput,
  options: TestOptions = {},
): Promise<StageRun> {
  const world = new TestWorld(pipeline, options, 'eventSource' in input ? topicsIn(input) : []);
  const handler = world.handler(stage);
  const planned = world.plan.stages.find(({ id }) => id === stage) as StagePlan; // the handler has refused any other
  const event = 'eventSource' in input ? input : channelEvent(planned, input, world.clock.now());
  const response = await handler(event);
  world.faults.checkAllFired();
  return { response, ...world.outputs() };
}

function topicsIn({ records }: KafkaEvent): string[] {
  return Object.values(records).flatMap((list) => list.map(({ topic }) => topic));
}

/** One frame with the records, and one from each other upstream task if there is a watermark: a task's is the minimum over all. */
function channelEvent({ id, input }: StagePlan, { records, watermark }: ChannelInput, now: number): KafkaEvent {
  if (input.kind !== 'channel')
    throw new MillraceError('MILLRACE_EVENT_INVALID', `stage '${id}' reads a topic: give it an event from kafkaEvent()`);
  const upstreams = input.upstreams.flatMap(({ stage, parallelism }) =>
    Array.from({ length: parallelism ?? 1 }, (_, i) => ({ upstream: `${stage}/test-${i}@1`, tasks: parallelism ?? 1 })),
  );
  const frames = upstreams.flatMap(({ upstream, tasks }, i) => frameOf(upstream, tasks, i === 0 ? records : [], watermark, now));
  const list: KafkaEventRecord[] = frames.map((frame, offset) => ({
    topic: input.topic,
    partition: 0,
    offset,
    timestamp: now,
    timestampType: 'LOG_APPEND_TIME',
    value: Buffer.from(frame).toString('base64'),
  }));
  return { eventSource: 'SelfManagedKafka', bootstrapServers: 'localhost:9092', records: { [`${input.topic}-0`]: list } };
}

function frameOf(
  upstream: string,
  upstreamTasks: number,
  records: ChannelInput['records'],
  watermark: number | undefined,
  now: number,
): Uint8Array[] {
  const writer = new FrameListWriter({ upstream, upstreamTasks, maxBytes: 1024 * 1024 });
  writer.time(now, now, now);
  for (const [i, { value, key, timestamp }] of records.entries()) writer.add(i, 0, 0, timestamp, 0, key, value);
  return writer.finish(watermark);
}
