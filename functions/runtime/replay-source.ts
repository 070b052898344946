import type { OutputOrigin } from '../connectors/sink.ts';
import type { Key } from '../shared/key.ts';
import { describeOrigin } from '../shared/origin.ts';
import type { Failure } from '../state/fence.ts';
import { MillraceError } from '../shared/errors.ts';
import { BatchOutputs, type OutputsOptions } from './batch-outputs.ts';
import { REPLAY_UPSTREAM, type ReplayedValue } from './replayed-record.ts';
import type { StageRuntime } from './stage-runtime.ts';
import { takeTransaction } from './task-transaction.ts';

/** A message of a source topic that has become a dead letter. */
export interface BuriedMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The message's timestamp in ms. */
  readonly time: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array;
  /** Those that the dead letter has kept. */
  readonly headers: readonly (readonly [name: string, value: Uint8Array])[];
}

/** Outputs of a replayed message: the stages that read them apply each once, by what their state says, as there is no fence here. */
class ReplayOutputs extends BatchOutputs {
  private readonly task: string;

  /** @param task - That would have put them out. */
  constructor(options: OutputsOptions, task: string) {
    super(options);
    this.task = task;
  }

  override add(output: number, origin: OutputOrigin, timestamp: number | undefined, key: Key | undefined, value: unknown): void {
    const replayed: ReplayedValue = ['once', describeOrigin(this.task, origin), value];
    super.add(output, origin, timestamp, key, replayed);
  }
}

/**
 * Runs a dead letter of a source stage without a fence again, in this process, beside whatever runs the pipeline: there is no state to be
 * kept. What it puts out for other stages is applied once, however often and by whomever it is replayed; to sinks it goes each time. It
 * says nothing about watermarks.
 *
 * @returns why it has failed again; then nothing of it has been sent.
 */
export async function replayMessage(runtime: StageRuntime, message: BuriedMessage): Promise<Failure | undefined> {
  const { engine, stage, plan, ports } = runtime;
  const { topic, partition, offset, time } = message;
  const decode = runtime.decoderOf(message);
  if (!decode || stage.fenced)
    throw new MillraceError('MILLRACE_PLAN_MISMATCH', `stage ${stage.id} has a fence: its dead letters come back through its input`);
  const task = runtime.task(topic, partition);
  const sinks = runtime.takeSinks(task);
  const { maxParallelism, settings } = plan;
  const options = { upstream: REPLAY_UPSTREAM, upstreamTasks: 0, outputs: stage.outputs, maxParallelism, frameBytes: settings.frameBytes };
  const outputs = new ReplayOutputs({ ...options, sinks }, task);
  const now = ports.clock.now();
  outputs.input(now, now, now);
  engine.begin({ task, state: undefined, outputs, watermark: -Infinity, processingTime: -Infinity, stateTime: -Infinity });
  const failure = engine.runRecord(offset, 0, 0, time, undefined, { value: () => decode(message) });
  if (!failure) {
    await outputs.publish(ports.channels, undefined, { watermark: undefined });
    await commitAppends(runtime, outputs, topic, partition);
  }
  runtime.sinks.putBack(task, sinks);
  return failure;
}

/** In a transaction that leaves the task's offset where it is. It shuts out the producer of a run, which then opens a newer one. */
async function commitAppends(runtime: StageRuntime, outputs: BatchOutputs, topic: string, partition: number): Promise<void> {
  const appends = await outputs.takeAppends(0);
  const transaction = appends.length > 0 ? await takeTransaction(runtime, topic, partition) : undefined;
  if (!transaction) return;
  try {
    if (transaction.published === undefined)
      throw new MillraceError(
        'MILLRACE_REPLAY_REFUSED',
        `stage ${runtime.stage.id} has committed no offset of ${topic}-${partition}: it would begin at this message`,
      );
    await transaction.commit(appends, transaction.published);
  } finally {
    await transaction.close();
  }
}
