import type { SinkWriter } from '../connectors/sink.ts';
import { MillraceError } from '../shared/errors.ts';
import type { Failure } from '../state/fence.ts';
import { roundWatermark } from '../time/watermark.ts';
import type { BatchOutputs } from './batch-outputs.ts';
import { deadLetterMessage, recordFailed } from './dead-letter.ts';
import { compareRuns } from './determinism.ts';
import { type InputBatch, type InputMessage, logTime } from './kafka-event.ts';
import { addIngest } from './metrics.ts';
import { type Decode, SourceRecord } from './pending-record.ts';
import type { Probe } from './stage-engine.ts';
import type { Generator, OpenTask, StageRuntime, StageTask } from './stage-runtime.ts';
import type { TaskCounters } from './task-counters.ts';

type Sinks = ReadonlyMap<number, SinkWriter<unknown>>;

interface SourceRun {
  readonly outputs: BatchOutputs;
  readonly generator: Generator;
  readonly recordsIn: number;
  readonly retries: number;
  readonly probe: Probe | undefined;
}

/** A stage without a fence keeps no state that two runs could disagree on. */
const NO_DELTA = new Uint8Array();

export const openSourceTask: OpenTask = (runtime, batch, _deadline, counters) => new SourceTask(runtime, batch, counters);

/** Sends what a batch put out; resolves when it is durable. */
export type SendOutputs = (outputs: BatchOutputs, risenWatermark: number | undefined) => Promise<void>;

/**
 * One batch of a source task without state (protocol section 4): no fence, its input offsets are the origins. A partition's log then
 * holds the same records with the same watermark steps between them, whatever the cuts and restarts; the next stage drops copies.
 */
export class SourceTask implements StageTask {
  /** A failed batch comes again whole: the steps up to a place inside it have not gone out. */
  readonly next: number;
  private readonly runtime: StageRuntime;
  private readonly batch: InputBatch;
  private readonly task: string;
  private readonly decode: Decode;
  private readonly counters: TaskCounters;
  private readonly send: SendOutputs;

  constructor(runtime: StageRuntime, batch: InputBatch, counters: TaskCounters, send: SendOutputs = sendBy(runtime)) {
    const decode = runtime.decoderOf(batch);
    if (!decode)
      throw new MillraceError('MILLRACE_PLAN_MISMATCH', `stage ${runtime.stage.id} reads a channel, so it needs a fence; plan it again`);
    this.next = batch.messages[0]?.offset ?? 0;
    this.runtime = runtime;
    this.batch = batch;
    this.task = runtime.task(batch.topic, batch.partition);
    this.decode = decode;
    this.counters = counters;
    this.send = send;
  }

  async run(): Promise<void> {
    const { runtime, task, batch } = this;
    const tasks = await runtime.tasks();
    const start = this.startGenerator(batch.messages[0]?.offset ?? 0);
    const sinks = runtime.takeSinks(task);
    const run = this.compute(start, tasks, sinks);
    const interval = runtime.plan.settings.watermarkIntervalMs;
    const before = roundWatermark(start.watermark, interval);
    const after = roundWatermark(run.generator.watermark, interval);
    await this.send(run.outputs, after > before ? after : undefined); // S3
    runtime.generators.putBack(task, run.generator); // S4
    runtime.sinks.putBack(task, sinks);
    runtime.countBatch(run.recordsIn);
    this.counters.recordsIn += run.recordsIn;
    this.counters.retries += run.retries;
    this.counters.watermark = after;
    this.counters.countOutputs(run.outputs);
  }

  /** S1: an environment's generator may be behind the input, never ahead of it, or late records would differ from the first attempt's. */
  private startGenerator(firstOffset: number): Generator {
    const kept = this.runtime.generators.take(this.task);
    return kept && kept.position <= firstOffset ? kept : { position: firstOffset, watermark: -Infinity };
  }

  private compute(start: Generator, tasks: number, sinks: Sinks): SourceRun {
    const check = this.runtime.isCheckDue();
    const first = this.runOnce(start, tasks, sinks, check ? new Map() : undefined);
    if (check) {
      for (const sink of sinks.values()) sink.reset(0);
      const second = this.runOnce(start, tasks, sinks, new Map());
      compareRuns(this.runtime.stage, first, second, NO_DELTA, NO_DELTA);
      return this.finishRun(second);
    }
    return this.finishRun(first);
  }

  private finishRun(run: SourceRun): SourceRun {
    for (const message of this.batch.messages) {
      if (!message.end && !message.hasValue) this.counters.tombstones++;
      // A dead letter that another stage gets back through this topic: there is no fence here that could tell whose it is.
      if (message.replay) this.counters.duplicates++;
      else if (message.hasValue) addIngest(this.counters.ingest, message.time);
    }
    return run;
  }

  /** S2: the chain, record by record; each output stands behind the watermark that its input has seen before it. */
  private runOnce(start: Generator, tasks: number, sinks: Sinks, probe: Probe | undefined): SourceRun {
    const { engine, plan } = this.runtime;
    const outputs = this.runtime.outputs(this.task, tasks, sinks);
    engine.begin({
      task: this.task,
      state: undefined,
      outputs,
      watermark: -Infinity,
      processingTime: -Infinity,
      stateTime: -Infinity,
      ...(probe && { probe }),
    });
    let { position, watermark } = start;
    let recordsIn = 0;
    for (const message of this.batch.messages) {
      outputs.watermark = roundWatermark(watermark, plan.settings.watermarkIntervalMs);
      if (message.end) watermark = Infinity;
      else if (message.hasValue && !message.replay) {
        this.runMessage(message, outputs);
        recordsIn++;
        watermark = Math.max(watermark, engine.context.eventTimeSeen);
      }
      position = message.offset + 1;
    }
    return { outputs, generator: { position, watermark }, recordsIn, retries: engine.retries, probe };
  }

  private runMessage(message: InputMessage, outputs: BatchOutputs): void {
    outputs.input(logTime(message), message.time, message.time);
    const record = new SourceRecord(this.runtime.engine, this.decode, this.task, message, 0);
    const failure = record.run();
    if (failure) this.bury(record, failure, outputs);
  }

  /** A dead letter at once, acknowledged with the batch: at least once; readers drop equal origins. */
  private bury(record: SourceRecord, failure: Failure, outputs: BatchOutputs): void {
    const origin = record.origin();
    if (this.runtime.plan.settings.onError === 'fail') throw recordFailed(this.task, origin, failure);
    const { id: stage } = this.runtime.stage;
    outputs.deadLetters.push(deadLetterMessage({ origin, stage, task: this.task, failure, ...record.payload() }));
  }
}

function sendBy({ ports, plan }: StageRuntime): SendOutputs {
  return (outputs, risenWatermark) => outputs.publish(ports.channels, plan.deadLetterTopic, { watermark: risenWatermark });
}
