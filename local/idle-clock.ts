import { idleFrame } from '../functions/codec/frame-writer.ts';
import type { PipelinePlan, StagePlan } from '../functions/graph/stage-plan.ts';
import { taskName } from '../functions/shared/origin.ts';
import type { InputPartition } from './emulator/mapping-input.ts';
import type { HarnessLog } from './harness-log.ts';
import type { LocalClock } from './local-clock.ts';

/** How often partitions are looked at, in ms; more often where one is idle sooner. */
const LONGEST_POLL_MS = 1000;
const POLLS_A_TIMEOUT = 4;

export type WatchedPartition = Pick<InputPartition, 'topic' | 'partition' | 'lag' | 'isOurs' | 'endOffset' | 'committedOffset'>;

export interface IdleTarget {
  readonly stage: StagePlan;
  readonly partitions: readonly WatchedPartition[];
}

/** Since when a partition has had nothing behind this offset, and when that was last told. */
interface Silence {
  readonly offset: number;
  readonly since: number;
  toldAt: number | undefined;
}

export interface IdleClockOptions {
  readonly plan: PipelinePlan;
  readonly targets: readonly IdleTarget[];
  readonly log: Pick<HarnessLog, 'writer' | 'isFull'>;
  readonly clock: LocalClock;
}

/**
 * The clock that declares partitions of sources idle (`withIdleness`, protocol section 7): one whose records have all been applied, and
 * that has had none for the timeout. It tells every partition that the source's stage writes to, and tells it again as long as it is so:
 * frames of a replay end an idleness. What it tells holds as of an offset, so any number of clocks may tell it, at any time.
 */
export class IdleClock {
  private readonly options: IdleClockOptions;
  private readonly targets: Set<IdleTarget>;
  private readonly silences = new Map<WatchedPartition, Silence>();
  private readonly cancels = new Map<IdleTarget, () => void>();
  private isStopped = false;

  constructor(options: IdleClockOptions) {
    this.options = options;
    this.targets = new Set(options.targets.filter(({ stage }) => timeoutOf(stage) < Infinity && stage.outputs.length > 0));
  }

  start(): void {
    for (const target of this.targets) this.schedule(target);
  }

  stop(): void {
    this.isStopped = true;
    for (const cancel of this.cancels.values()) cancel();
  }

  /** The stage's input has ended: what has ended is not idle. */
  leaveOut(stage: string): void {
    for (const target of this.targets) if (target.stage.id === stage) this.targets.delete(target);
  }

  private schedule(target: IdleTarget): void {
    if (this.isStopped || !this.targets.has(target)) return;
    const pollMs = Math.max(1, Math.min(LONGEST_POLL_MS, timeoutOf(target.stage) / POLLS_A_TIMEOUT));
    const cancel = this.options.clock.after(pollMs, () => {
      // What cannot be read or sent now is looked at again.
      const looking = target.partitions.map((partition) => this.look(target, partition).catch(() => undefined));
      void Promise.all(looking).then(() => {
        this.schedule(target);
      });
    });
    this.cancels.set(target, cancel);
  }

  private async look(target: IdleTarget, partition: WatchedPartition): Promise<void> {
    const offset = await this.drainedAt(partition);
    const now = this.options.clock.now();
    const silence = this.silences.get(partition);
    if (offset === undefined) {
      this.silences.delete(partition);
      return;
    }
    if (silence?.offset !== offset) {
      this.silences.set(partition, { offset, since: now, toldAt: undefined });
      return;
    }
    if (now - (silence.toldAt ?? silence.since) < timeoutOf(target.stage)) return;
    // Asked of the log itself, which may be far away, only now that it matters.
    if ((await partition.endOffset()) > offset || this.isStopped || !this.targets.has(target)) return;
    silence.toldAt = now;
    await this.declare(target, partition, offset);
  }

  /** The offset that all records of a partition lie below, if they have been applied; of one that is another run's, that run tells. */
  private async drainedAt(partition: WatchedPartition): Promise<number | undefined> {
    return partition.isOurs && partition.lag === 0 ? partition.committedOffset() : undefined;
  }

  private async declare({ stage, partitions }: IdleTarget, { topic, partition }: WatchedPartition, offset: number): Promise<void> {
    const { plan, log } = this.options;
    const frame = idleFrame(taskName(stage.id, topic, partition, plan.generation), partitions.length, offset);
    const channels = new Map(stage.outputs.map((output) => [output.topic, output.partitions]));
    const appends = [...channels].flatMap(([channel, count]) =>
      Array.from({ length: count }, async (_, p) => {
        if (!log.isFull(channel, p)) await log.writer.append(channel, p, [{ key: null, value: frame }]);
      }),
    );
    await Promise.all(appends);
  }
}

function timeoutOf({ input }: StagePlan): number {
  return input.kind === 'source' ? (input.idlenessMs ?? Infinity) : Infinity;
}
