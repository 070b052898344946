import type { StagePlan } from '../../functions/graph/stage-plan.ts';
import type { KafkaEvent, KafkaEventRecord } from '../../functions/runtime/lambda.ts';
import type { Invocation } from './environments.ts';
import type { LogEntry } from './sim-log.ts';
import type { Script } from './simulator.ts';
import type { World } from './world.ts';

interface Batch {
  readonly partition: number;
  readonly from: number;
  readonly entries: readonly LogEntry[];
}

/**
 * An event source mapping: hands partitions to a stage's function in order and at least once, with any cut, repetition, parallel
 * repetition and reset. Positions are indexes into the log, as source offsets have gaps.
 */
export class Mapping {
  readonly stage: StagePlan;
  readonly partitions: readonly number[];
  private readonly world: World;
  private readonly topic: string;
  private readonly committed = new Map<number, number>();

  constructor(world: World, stage: StagePlan, partitions: readonly number[]) {
    this.world = world;
    this.stage = stage;
    this.partitions = partitions;
    this.topic = world.topicOf(stage);
  }

  /** Number of messages that count as done. */
  committedOf(partition: number): number {
    return this.committed.get(partition) ?? 0;
  }

  *run(): Script {
    const { simulator } = this.world;
    for (;;) {
      yield () => this.partitions.some((partition) => this.waiting(partition).length > 0);
      const batches = this.takeBatches();
      const invocation = this.invoke(batches);
      if (simulator.fault(0.03, 'mapping', 'duplicate invocation') !== undefined) this.invoke(this.recut(batches));
      yield this.answered(invocation);
      this.commit(batches, invocation);
      this.reset(batches);
    }
  }

  /** What may be read: everything, or all below the end that was fixed beforehand. */
  private waiting(partition: number): readonly LogEntry[] {
    const { log, switches } = this.world;
    const end = this.world.inputOf(this.topic, partition)?.end ?? Infinity;
    const entries = log.partition(this.topic, partition).slice(this.committedOf(partition));
    return switches.endNotFixed === true ? entries : entries.filter(({ offset }) => offset < end);
  }

  private takeBatches(): Batch[] {
    const { simulator, config } = this.world;
    const ready = this.partitions.filter((partition) => this.waiting(partition).length > 0);
    const first = simulator.pick(ready.length, 0.5);
    const chosen = ready.filter((_, i) => i === first || simulator.pick(2, 0.5) === 0);
    return chosen.map((partition) => {
      const entries = this.waiting(partition);
      const most = Math.min(config.batch, entries.length);
      // As a mapping does, the same batch again after a failure: nobody makes it smaller because it takes too long.
      const size = config.slow ? most : 1 + simulator.pick(most, 0.3);
      return { partition, from: this.committedOf(partition), entries: entries.slice(0, size) };
    });
  }

  private recut(batches: readonly Batch[]): Batch[] {
    return batches.map((batch) => ({
      ...batch,
      entries: batch.entries.slice(0, 1 + this.world.simulator.pick(batch.entries.length, 0.5)),
    }));
  }

  private invoke(batches: readonly Batch[]): Invocation {
    const what = batches.map(({ partition, entries }) => `${this.topic}-${partition}:${entries.map(({ offset }) => offset).join()}`);
    return this.world.functionOf(this.stage).invoke(this.event(batches), what.join(' '));
  }

  /** Waits for the answer, or for the function's timeout: then the invocation may still go on. */
  private answered(invocation: Invocation): () => boolean {
    const { simulator } = this.world;
    if (simulator.fault(0.05, 'mapping', 'function timeout') === undefined) return () => invocation.done;
    const end = simulator.now + 4 + simulator.extent(40, 0.1);
    simulator.later('timeout', end - simulator.now, () => undefined);
    return () => invocation.done || simulator.now >= end;
  }

  private commit(batches: readonly Batch[], invocation: Invocation): void {
    if (!invocation.done || invocation.killed || invocation.error !== undefined) return;
    for (const batch of batches) this.committed.set(batch.partition, this.endOf(batch, invocation));
  }

  /** A mapping without partial responses takes any answer for success. */
  private endOf({ partition, from, entries }: Batch, { response }: Invocation): number {
    const failures = this.world.config.partial ? (response?.batchItemFailures ?? []) : [];
    const failure = failures.find(({ itemIdentifier }) => itemIdentifier.partition === `${this.topic}-${partition}`);
    if (!failure) return from + entries.length;
    this.world.simulator.count('partial response');
    const done = entries.findIndex(({ offset }) => offset >= failure.itemIdentifier.offset);
    return from + (done < 0 ? entries.length : done);
  }

  private reset(batches: readonly Batch[]): void {
    const { simulator } = this.world;
    for (const { partition } of batches) {
      this.startAtLatest(partition);
      if (simulator.fault(0.015, 'mapping', 'offset reset') === undefined) continue;
      this.committed.set(partition, Math.max(0, this.committedOf(partition) - 1 - simulator.extent(6, 0.2)));
    }
  }

  /** Nothing is committed yet, the function has begun, and the mapping is made anew with LATEST: what it skips is a gap that must be counted. */
  private startAtLatest(partition: number): void {
    const { world, topic, stage } = this;
    const waiting = this.waiting(partition);
    const task = `${topic}-${partition}`;
    if (!world.config.bare || this.committedOf(partition) > 0 || waiting.length < 2) return;
    if (!world.transactions.hasSent(`${stage.group}.${task}.`)) return;
    if (world.simulator.fault(0.3, 'mapping', 'starts at latest') === undefined) return;
    const skipped = waiting.slice(0, -1);
    const ids = skipped.map(({ value }) => Buffer.from(value ?? []).toString());
    world.skipped.set(task, ids);
    this.committed.set(partition, skipped.length);
  }

  private event(batches: readonly Batch[]): KafkaEvent {
    const isLogTime = this.stage.input.kind === 'channel' || this.world.config.logTime;
    const toRecord = (partition: number, { offset, time, value, key, headers = [] }: LogEntry): KafkaEventRecord => ({
      topic: this.topic,
      partition,
      offset,
      timestamp: time,
      timestampType: isLogTime ? 'LOG_APPEND_TIME' : 'CREATE_TIME',
      key: toBase64(key),
      value: toBase64(value),
      headers: headers.map(([name, bytes]) => ({ [name]: [...bytes] })),
    });
    const records = batches.map(
      ({ partition, entries }) => [`${this.topic}-${partition}`, entries.map((entry) => toRecord(partition, entry))] as const,
    );
    return { eventSource: 'SelfManagedKafka', records: Object.fromEntries(records) };
  }
}

function toBase64(bytes: Uint8Array | null): string | null {
  return bytes && Buffer.from(bytes).toString('base64');
}
