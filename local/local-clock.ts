import { systemClock, type Clock } from '../functions/shared/clock.ts';

/** The functions' clock, and timers that can be taken back. */
export interface LocalClock extends Clock {
  /** Calls `run` in `ms`; the returned function prevents it. */
  after(ms: number, run: () => void): () => void;
}

export const systemLocalClock: LocalClock = {
  ...systemClock,
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
