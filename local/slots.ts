interface Waiter {
  readonly owner: string;
  readonly priority: number;
  readonly start: () => void;
}

/**
 * How many invocations may run at once: over all functions, since threads beyond the cores only take time from each other, and of one
 * function. Whoever waits is served by priority, then in order; a stage further downstream comes first, so that what is under way gets
 * through.
 */
export class Slots {
  private free: number;
  private readonly perOwner: number;
  private readonly running = new Map<string, number>();
  private readonly waiters: Waiter[] = [];

  constructor(size: number, perOwner = Infinity) {
    this.free = size;
    this.perOwner = perOwner;
  }

  /** Resolves when there is a slot; each must be given back with `release`. */
  acquire(owner: string, priority: number): Promise<void> {
    if (this.take(owner)) return Promise.resolve();
    return new Promise((start) => {
      const behind = this.waiters.findIndex((waiter) => waiter.priority < priority);
      this.waiters.splice(behind < 0 ? this.waiters.length : behind, 0, { owner, priority, start });
    });
  }

  release(owner: string): void {
    this.free++;
    this.running.set(owner, (this.running.get(owner) ?? 1) - 1);
    const next = this.waiters.findIndex((waiter) => this.take(waiter.owner));
    if (next >= 0) this.waiters.splice(next, 1)[0]?.start();
  }

  private take(owner: string): boolean {
    const running = this.running.get(owner) ?? 0;
    if (this.free <= 0 || running >= this.perOwner) return false;
    this.free--;
    this.running.set(owner, running + 1);
    return true;
  }
}
