import type { Clock } from '../../functions/shared/clock.ts';

/** Time that stands still until it is moved. Sleeping moves it. */
export class ManualClock implements Clock {
  private time: number;
  private draws = 0;

  /** @param start - Ms since the epoch. @default 2026-01-01T00:00:00Z */
  constructor(start: number | Date = Date.UTC(2026, 0, 1)) {
    this.time = Number(start);
  }

  now(): number {
    return this.time;
  }

  /** Moves time on by so many ms. */
  advance(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`time only moves on: ${ms} ms`);
    this.time += ms;
  }

  sleep(ms: number): Promise<void> {
    this.advance(ms);
    return Promise.resolve();
  }

  /** The same sequence in every run; used for names and jitter, never for results. */
  random(): number {
    this.draws++;
    return (this.draws * 0.618_033_988_749_895) % 1;
  }
}
