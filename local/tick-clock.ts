import type { StagePlan } from '../functions/graph/stage-plan.ts';
import type { LocalClock } from './local-clock.ts';
import type { InputPartition } from './emulator/mapping-input.ts';
import type { HarnessLog } from './harness-log.ts';

export interface TickTarget {
  readonly stage: StagePlan;
  readonly partitions: readonly Pick<InputPartition, 'topic' | 'partition'>[];
}

/** Appends to channels, once a period, a frame that only carries time, so that processing-time timers fire on idle streams too. */
export class TickClock {
  private readonly log: Pick<HarnessLog, 'writer' | 'isFull'>;
  private readonly clock: LocalClock;
  private readonly periodMs: number;
  private readonly makeTick: (stage: StagePlan, partition: number, time: number) => Uint8Array | undefined;
  private readonly targets: Set<TickTarget>;
  private cancel: () => void = () => undefined;

  constructor(log: TickClock['log'], targets: readonly TickTarget[], periodMs: number, clock: LocalClock, makeTick: TickClock['makeTick']) {
    this.log = log;
    this.targets = new Set(targets.filter(({ stage }) => stage.input.kind === 'channel'));
    this.periodMs = periodMs;
    this.clock = clock;
    this.makeTick = makeTick;
  }

  start(): void {
    this.cancel = this.clock.after(this.periodMs, () => {
      for (const target of this.targets) this.tick(target);
      this.start();
    });
  }

  stop(): void {
    this.cancel();
  }

  /** No more ticks for a stage whose input has ended. */
  leaveOut(stage: string): void {
    for (const target of this.targets) if (target.stage.id === stage) this.targets.delete(target);
  }

  private tick({ stage, partitions }: TickTarget): void {
    for (const { topic, partition } of partitions) {
      const value = this.makeTick(stage, partition, this.clock.now());
      // A partition that is full has frames of its own to carry the time; and a tick that fails is followed by another.
      if (value && !this.log.isFull(topic, partition))
        this.log.writer.append(topic, partition, [{ key: null, value }]).catch(() => undefined);
    }
  }
}
