/** Time and chance, passed in so that tests can hold them. Nothing that a pipeline computes may depend on either. */
export interface Clock {
  /** Wall time in ms since the epoch. */
  now(): number;
  sleep(ms: number): Promise<void>;
  /** A number in [0, 1). */
  random(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  random: () => Math.random(),
};
