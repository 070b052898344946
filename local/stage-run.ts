import { batchingOf } from '../functions/graph/batching.ts';
import type { StagePlan } from '../functions/graph/stage-plan.ts';
import type { EndEvent } from '../functions/runtime/lambda.ts';
import { isMillraceError } from '../functions/shared/errors.ts';
import { EventSourceMapping } from './emulator/event-source-mapping.ts';
import { FunctionEmulator, type InvocationResult } from './emulator/function-emulator.ts';
import type { HarnessLog } from './harness-log.ts';
import type { HarnessEvent, HarnessOptions } from './harness-options.ts';
import { KeyPlacement } from './key-placement.ts';
import { LineSplitter } from './line-splitter.ts';
import type { LocalClock } from './local-clock.ts';
import type { InputPartition, MappingInput } from './emulator/mapping-input.ts';
import type { Slots } from './slots.ts';
import { StageCounters } from './stage-counters.ts';
import { failureTopic } from './stage-topics.ts';

/** What a stage needs of its harness. */
export interface StageSurroundings {
  readonly options: HarnessOptions;
  readonly log: HarnessLog;
  readonly input: MappingInput;
  /** One an environment at a time. */
  readonly slots: Slots;
  /** Of the function, at most. */
  readonly environments: number;
  readonly clock: LocalClock;
  /** Environment variables of the function. */
  readonly env: Readonly<Record<string, string>>;
  readonly bundlePath: string;
  /** Place in the order of the stages; later ones come first when slots are short. */
  readonly rank: number;
}

/** Lambda's name of a stage's function. */
export function functionName({ name }: StagePlan): string {
  return name.replaceAll('.', '-');
}

/** One stage of a running pipeline: its function, the mapping that feeds it, and what they have done. */
export class StageRun {
  readonly stage: StagePlan;
  readonly emulator: FunctionEmulator;
  readonly mapping: EventSourceMapping;
  readonly counters = new StageCounters();
  readonly partitions: readonly InputPartition[];
  private readonly surroundings: StageSurroundings;
  private readonly printed: readonly LineSplitter[];
  /** End invocations under way. */
  private readonly ending = new Set<Promise<unknown>>();
  private readonly keyPlacement = new KeyPlacement();
  /** Tasks that somebody else has committed to. */
  private readonly contested = new Set<string>();
  private isStopped = false;

  constructor(stage: StagePlan, surroundings: StageSurroundings) {
    const { input, options } = surroundings;
    this.stage = stage;
    this.surroundings = surroundings;
    const out = new LineSplitter((line) => options.onPrint?.({ stage: stage.id, line }));
    const err = new LineSplitter((line) => this.report({ kind: 'log', stage: stage.id, line }));
    this.printed = [out, err];
    this.emulator = this.createEmulator((stream, text) => (stream === 'stdout' ? out : err).push(text));
    this.mapping = this.createMapping();
    this.partitions = input.partitions;
  }

  /** Sends the end of an input partition until the function takes it; gives up only when the harness stops. */
  async invokeEnd(partition: InputPartition, event: EndEvent): Promise<void> {
    const { slots, rank, clock } = this.surroundings;
    const payload = JSON.stringify(event);
    const environment = this.mapping.environmentOf(partition);
    for (let delay = 20; !this.isStopped; delay = Math.min(delay * 2, 2000)) {
      await slots.acquire(environment, rank);
      const attempt = this.tryEnd(payload, environment).finally(() => slots.release(environment));
      this.ending.add(attempt);
      const hasEnded = await attempt.finally(() => this.ending.delete(attempt));
      if (hasEnded) return;
      await clock.sleep(delay);
    }
    await new Promise<never>(() => undefined); // stopped: it has not ended
  }

  /** Lets what is in flight end, and begins nothing more. */
  async drain(): Promise<void> {
    this.isStopped = true;
    await this.mapping.close();
    await Promise.allSettled(this.ending);
  }

  /** Drains and ends the function. */
  async close(): Promise<void> {
    await this.drain();
    await this.emulator.close();
    for (const lines of this.printed) lines.end();
  }

  /** One end invocation, whose slot is taken; false if it failed or was throttled, or the harness has stopped meanwhile. */
  private async tryEnd(payload: string, environment: string): Promise<boolean> {
    if (this.isStopped) return false;
    const result = await this.emulator.invoke(payload, { affinity: environment }).catch(ifThrottled);
    if (!result) return false;
    this.counters.count(result, [], this.surroundings.clock.now());
    if (!result.error) return true;
    this.reportFailure(result, `${result.error.errorType}: ${result.error.errorMessage}`);
    return false;
  }

  private createEmulator(onOutput: (stream: 'stdout' | 'stderr', text: string) => void): FunctionEmulator {
    const { options, env, bundlePath, clock } = this.surroundings;
    const { timeoutMs, memoryMb } = options.plan.settings;
    const reserved = options.reservedConcurrency === undefined ? {} : { concurrency: options.reservedConcurrency };
    return new FunctionEmulator({ name: functionName(this.stage), bundlePath, env, timeoutMs, memoryMb, clock, onOutput, ...reserved });
  }

  private createMapping(): EventSourceMapping {
    const { options, log, input, slots, environments, clock, rank } = this.surroundings;
    const { settings } = options.plan;
    const { stage } = this;
    const { batchSize, batchWindowMs } = batchingOf(options.plan, stage);
    // A stage with a fence must never give up (protocol section 1).
    const maxRetries = stage.fenced ? -1 : settings.maxRetries;
    return new EventSourceMapping({
      ...{ input, slots, clock, maxRetries },
      group: stage.group,
      environments,
      invoke: (event, environment) => this.emulator.invoke(event, { affinity: environment }),
      batchSize,
      windowMs: Math.min(batchWindowMs, options.maxWindowMs ?? 20),
      partialBatchResponse: settings.partialBatchResponse,
      mixPartitions: options.mixPartitions ?? false,
      ...(maxRetries >= 0 ? { onFailure: { topic: failureTopic(stage), writer: log.writer } } : {}),
      ...(options.backOff ? { backOff: options.backOff } : {}),
      priority: rank,
      onInvocation: (result, parts, verdict) => {
        this.counters.count(result, parts, clock.now());
        this.checkKeys(result);
        this.reportConflicts(result);
        if (verdict.kind === 'failed') this.reportFailure(result, verdict.reason);
      },
    });
  }

  /** A broken promise of the source ends the run, though the batch is through. */
  private checkKeys({ metrics }: InvocationResult): void {
    for (const batch of metrics) {
      const broken = this.keyPlacement.note(batch);
      if (broken) this.report({ kind: 'failure', stage: this.stage.id, reason: broken.message, code: broken.code, trace: [] });
    }
  }

  /** Once a task: a run may meet thousands. */
  private reportConflicts({ metrics }: InvocationResult): void {
    for (const { topic, partition, conflicts } of metrics) {
      const task = `${topic}-${partition}`;
      if (conflicts === 0 || this.contested.has(task)) continue;
      this.contested.add(task);
      this.report({ kind: 'conflict', stage: this.stage.id, task });
    }
  }

  private reportFailure({ error }: InvocationResult, reason: string): void {
    const code = error?.code;
    this.report({ kind: 'failure', stage: this.stage.id, reason, ...(code === undefined ? {} : { code }), trace: error?.trace ?? [] });
  }

  private report(event: HarnessEvent): void {
    this.surroundings.options.onEvent?.(event);
  }
}

function ifThrottled(error: unknown): undefined {
  if (!isMillraceError(error, 'MILLRACE_FUNCTION_THROTTLED')) throw error;
}
