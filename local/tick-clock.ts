import type { StagePlan } from '../functions/graph/stage-plan.ts';
import type { LocalClock } from './local-clock.ts';
import { toBatch } from './log/message-batch.ts';
import type { PartitionLog } from './log/partition-log.ts';

export interface TickTarget {
  readonly stage: StagePlan;
  readonly partitions: readonly PartitionLog[];
}

/** Appends to channels, once a period, a frame that only carries time, so that processing-time timers fire on idle streams too. */
export class TickClock {
  private readonly clock: LocalClock;
  private readonly periodMs: number;
  private readonly makeTick: (stage: StagePlan, partition: number, time: number) => Uint8Array | undefined;
  private readonly targets: Set<TickTarget>;
  private cancel: () => void = () => undefined;

  constructor(targets: readonly TickTarget[], periodMs: number, clock: LocalClock, makeTick: TickClock['makeTick']) {
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
    for (const log of partitions) {
      const value = this.makeTick(stage, log.partition, this.clock.now());
      // A partition that holds appends back has frames of its own to carry the time.
      if (value && !log.isHoldingBack) void log.append(toBatch([{ key: null, value }]));
    }
  }
}
