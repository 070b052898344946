/** Commits some offsets at once. */
export type CommitOffsets = (offsets: readonly TopicOffset[]) => Promise<unknown>;

export interface TopicOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Wait before another try, in ms; meanwhile a group finds together again. */
const RETRY_MS = 500;

/**
 * Commits offsets of a group, one request at a time; what comes meanwhile goes into the next one. An offset that is never committed
 * only makes its batch come again.
 */
export class OffsetCommitter {
  private readonly send: CommitOffsets;
  private readonly onDone: (committed: TopicOffset) => void;
  private pending = new Map<string, TopicOffset>();
  private sending: Promise<void> | undefined;
  private retry: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(send: CommitOffsets, onDone: (committed: TopicOffset) => void) {
    this.send = send;
    this.onDone = onDone;
  }

  add(offset: TopicOffset): void {
    this.pending.set(`${offset.topic}-${offset.partition}`, offset);
    this.begin();
  }

  /** Forgets what is not committed of a partition: it is somebody else's. */
  forget(topic: string, partition: number): void {
    this.pending.delete(`${topic}-${partition}`);
  }

  /** Tries once more with what is left, and ends. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.retry);
    await this.sending;
    await this.sendPending();
  }

  private begin(): void {
    if (this.isClosed || this.sending || this.retry) return;
    this.sending = this.sendPending().then((isDone) => {
      this.sending = undefined;
      if (isDone) {
        if (this.pending.size > 0) this.begin();
      } else if (!this.isClosed) {
        this.retry = setTimeout(() => {
          this.retry = undefined;
          this.begin();
        }, RETRY_MS);
      }
    });
  }

  /** False if it failed; then all of it is pending again, but for what has been overtaken. */
  private async sendPending(): Promise<boolean> {
    const batch = this.pending;
    if (batch.size === 0) return true;
    this.pending = new Map();
    try {
      await this.send([...batch.values()]);
    } catch {
      this.pending = new Map([...batch, ...this.pending]);
      return false;
    }
    for (const committed of batch.values()) this.onDone(committed);
    return true;
  }
}
