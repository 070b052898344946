/** A stage's handler without a log and a store behind it, and rounds of contestants: what the benches of handlers share. */
import type { ChannelWriter, OutgoingMessage } from '../../functions/channels/channel-writer.ts';
import type { Pipeline } from '../../functions/index.ts';
import type { LogicalGraph } from '../../functions/graph/logical-graph.ts';
import { planPipeline } from '../../functions/graph/plan.ts';
import type { PipelinePlan } from '../../functions/graph/stage-plan.ts';
import { createStageRuntime } from '../../functions/runtime/stage-handler.ts';
import type { StageHandler } from '../../functions/runtime/lambda.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { MemoryStateBackend } from '../../functions/state/memory/memory-state-backend.ts';
import type { StateBackend } from '../../functions/state/state-backend.ts';
import { median } from './figure.ts';

export const ROUNDS = 15;

/** Keeps what was appended last, so that a stage's output can be the next one's input. */
export class NullLog implements ChannelWriter {
  readonly appended: (readonly [topic: string, partition: number, messages: readonly OutgoingMessage[]])[] = [];
  keep = false;

  append(topic: string, partition: number, messages: readonly OutgoingMessage[]): Promise<void> {
    if (this.keep) this.appended.push([topic, partition, messages]);
    return Promise.resolve();
  }

  partitionCount(): Promise<number> {
    return Promise.resolve(1);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

export function planOf(made: Pipeline): { readonly graph: LogicalGraph; readonly plan: PipelinePlan } {
  const graph = made.build();
  return { graph, plan: planPipeline(graph, { namespace: 'bench', generation: 1 }) };
}

/** An environment of the stage. */
export function openStage(made: Pipeline, stage: string, log: ChannelWriter, state: StateBackend = new MemoryStateBackend()): StageHandler {
  const { graph, plan } = planOf(made);
  return createStageRuntime(plan, stage, graph, {
    channels: log,
    state,
    clock: systemClock,
    print: () => undefined,
    log: () => undefined,
  });
}

/** Text of the event that brings these values, from `offset` on. */
export function eventText(topic: string, values: readonly Uint8Array[], offset: number): string {
  const records = values.map((value, i) => ({
    topic,
    partition: 0,
    offset: offset + i,
    timestamp: 1_700_000_000_000 + offset + i,
    timestampType: 'LOG_APPEND_TIME',
    value: Buffer.from(value).toString('base64'),
    headers: [],
  }));
  return JSON.stringify({ eventSource: 'SelfManagedKafka', bootstrapServers: 'localhost:9092', records: { [`${topic}-0`]: records } });
}

/** Median ns a record of each contestant, over interleaved rounds. */
export async function measure(contestants: readonly ((round: number) => Promise<number>)[]): Promise<number[]> {
  const times = contestants.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) for (const [i, contestant] of contestants.entries()) times[i]?.push(await contestant(round));
  return times.map(median);
}
