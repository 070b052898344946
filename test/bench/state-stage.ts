import { createHash } from 'node:crypto';
import type { ChannelWriter, OutgoingMessage } from '../../functions/channels/channel-writer.ts';
import { planPipeline } from '../../functions/graph/plan.ts';
import { json, kafka, type Pipeline, pipeline, valueState } from '../../functions/index.ts';
import type { StageHandler } from '../../functions/runtime/lambda.ts';
import { createStageRuntime } from '../../functions/runtime/stage-handler.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import type { StateBackend } from '../../functions/state/state-backend.ts';

/** One update of the state under a key. */
export interface Change {
  readonly key: number;
  readonly value: string;
}

/** A value that does not compress to nothing. */
export function valueOf(key: number, round: number, bytes: number): string {
  return createHash('sha512')
    .update(`${key} ${round}`)
    .digest('hex')
    .repeat(Math.ceil(bytes / 128))
    .slice(0, bytes);
}

/** Keeps the last value of each key, and puts nothing out. */
const keeper: Pipeline = pipeline('bench-state', { parallelism: 1, batchSize: 10_000 }, (env) => {
  env
    .fromSource(kafka.source({ topic: 'changes', value: json<Change>() }), { uid: 'changes' })
    .keyBy(({ key }) => key)
    .process({
      state: { last: valueState<string>('last', { default: '' }) },
      processElement({ value }, { state }) {
        state.last.update(value);
      },
    })
    .uid('keeper')
    .sinkTo(kafka.sink<never>({ topic: 'out', value: json() }));
});

class FrameLog implements ChannelWriter {
  frames: Uint8Array[] = [];
  topic = '';

  append(topic: string, _partition: number, messages: readonly OutgoingMessage[]): Promise<void> {
    this.topic = topic;
    for (const { value } of messages) if (value) this.frames.push(value);
    return Promise.resolve();
  }

  partitionCount(): Promise<number> {
    return Promise.resolve(1);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const graph = keeper.build({});
const plan = planPipeline(graph, { namespace: 'bench', generation: 1 });

function open(stage: string, channels: ChannelWriter, state: StateBackend | undefined, namespace: string): StageHandler {
  return createStageRuntime({ ...plan, namespace }, stage, graph, {
    ...{ channels, state, clock: systemClock, print: () => undefined, log: () => undefined },
  });
}

/** The stage of `keeper` that has the state, in a cold environment; `namespace` names the state. */
export function openKeeper(state: StateBackend, namespace: string): StageHandler {
  const stage = plan.stages.find(({ fenced }) => fenced);
  return open(stage?.id ?? '', new FrameLog(), state, namespace);
}

/** Events as the keeper's mapping would send them, one batch each, in order. */
export class KeeperEvents {
  private readonly log = new FrameLog();
  private readonly source = open(plan.stages[0]?.id ?? '', this.log, undefined, 'bench');
  private changes = 0;
  private frames = 0;

  async text(changes: readonly Change[]): Promise<string> {
    this.log.frames = [];
    const records = changes.map((change) => this.record('changes', this.changes++, Buffer.from(JSON.stringify(change))));
    await this.source({ eventSource: 'SelfManagedKafka', bootstrapServers: 'b:1', records: { 'changes-0': records } });
    const { frames, topic } = this.log;
    const messages = frames.map((frame) => this.record(topic, this.frames++, frame));
    return JSON.stringify({ eventSource: 'SelfManagedKafka', bootstrapServers: 'b:1', records: { [`${topic}-0`]: messages } });
  }

  private record(topic: string, offset: number, value: Uint8Array) {
    const base = { topic, partition: 0, offset, timestamp: 1_700_000_000_000 + offset, timestampType: 'LOG_APPEND_TIME' as const };
    return { ...base, value: Buffer.from(value).toString('base64'), headers: [] };
  }
}
