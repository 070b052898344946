import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FeedSource } from '../functions/connectors/source.ts';
import type { FeedTopic } from './harness-log.ts';

/** Most records that go to one partition at once: one append, and how far it may run over the limits. */
const RECORDS_PER_APPEND = 500;

export interface FeederStats {
  /** Records that this run has written. */
  written: number;
  /** Records that an earlier run had written. */
  skipped: number;
  bytes: number;
  /** When this run wrote its first record, in ms of `performance.now()`. */
  startedAt: number | undefined;
  isHeldBack: boolean;
}

/**
 * Reads a source that is no topic and writes it to its topic: the k-th record to partition k mod N, so the record with offset o of
 * partition p is the source's record oN + p, and the log's ends tell what is written. It waits while the log is too far ahead of the
 * mapping; so neither memory nor disk grow with the source.
 */
export class Feeder {
  readonly stats: FeederStats = { written: 0, skipped: 0, bytes: 0, startedAt: undefined, isHeldBack: false };
  private readonly source: FeedSource<unknown>;
  private readonly topic: FeedTopic;
  private readonly signal: AbortSignal;
  /** Index of the next record of the source. */
  private ordinal = 0;

  constructor(topic: FeedTopic, source: FeedSource<unknown>, signal: AbortSignal) {
    this.source = source;
    this.signal = signal;
    this.topic = topic;
  }

  /**
   * Feeds until the source ends (true) or the signal aborts (false).
   *
   * @throws MILLRACE_INPUT_UNREADABLE and whatever else the source throws; MILLRACE_MESSAGE_TOO_LARGE
   */
  async run(): Promise<boolean> {
    const chunks = this.source.read()[Symbol.asyncIterator]();
    for (;;) {
      const next = await this.unlessAborted(chunks.next());
      if (next === undefined) {
        // Not awaited: a source that waits for input may never answer.
        void chunks.return?.().catch(() => undefined);
        return false;
      }
      if (next.done) return true;
      if (!(await this.feed(next.value))) return false;
    }
  }

  /** Writes a chunk of the source, a slice at a time; false if the signal aborts meanwhile. */
  private async feed(records: readonly Uint8Array[]): Promise<boolean> {
    const perSlice = RECORDS_PER_APPEND * this.topic.ends.length;
    for (let from = 0; from < records.length; from += perSlice) {
      const to = Math.min(records.length, from + perSlice);
      const appending = this.append(this.spread(records, from, to));
      this.stats.isHeldBack = this.topic.isHeldBack;
      // Else mappings and functions get their turn.
      const going = await this.unlessAborted(appending ? appending.then(() => true) : nextTurn(true));
      this.stats.isHeldBack = false;
      if (going === undefined) return false;
    }
    return true;
  }

  /**
   * What `work` resolves to, or undefined once the signal aborts. Not `Promise.race` with one promise for the signal: that would keep
   * every chunk that was ever raced.
   */
  private unlessAborted<T>(work: Promise<T>): Promise<T | undefined> {
    const { signal } = this;
    if (signal.aborted) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const stop = (): void => resolve(undefined);
      signal.addEventListener('abort', stop, { once: true });
      work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
    });
  }

  /** The records `from` to `to` − 1, by partition, without those that are in the log. */
  private spread(records: readonly Uint8Array[], from: number, to: number): Uint8Array[][] {
    const { ends } = this.topic;
    const count = ends.length;
    const lists: Uint8Array[][] = ends.map(() => []);
    for (let i = from; i < to; i++, this.ordinal++) {
      const partition = this.ordinal % count;
      if (Math.floor(this.ordinal / count) < (ends[partition] ?? 0)) this.stats.skipped++;
      else lists[partition]?.push(records[i] as Uint8Array);
    }
    return lists;
  }

  private append(lists: readonly Uint8Array[][]): Promise<unknown> | undefined {
    const { stats } = this;
    for (const list of lists) {
      if (list.length > 0) stats.startedAt ??= performance.now();
      stats.written += list.length;
      for (const value of list) stats.bytes += value.length;
    }
    return this.topic.append(lists);
  }
}
