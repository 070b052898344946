import { channel } from 'node:diagnostics_channel';

/**
 * Log times at the source of some records: the earliest, the latest, and how many they are. A time of 0 is none: of what a timer emits
 * when its input ends, and of messages without a timestamp.
 */
export type Ingest = [earliest: number, latest: number, count: number];

/** Adds a record; neighbors with one time share an entry. */
export function addIngest(list: Ingest[], time: number): void {
  const last = list.at(-1);
  if (last?.[0] === time && last[1] === time) last[2]++;
  else list.push([time, time, 1]);
}

/** What one batch of one partition did; published once a batch on `millrace:stage:batch`, free when nobody listens. */
export interface BatchMetrics {
  readonly pipeline: string;
  readonly stage: string;
  readonly topic: string;
  readonly partition: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** Records applied (of frames: the records inside), without duplicates. */
  readonly recordsIn: number;
  /** Records sent on, over all channels and sinks. */
  readonly recordsOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Records dropped because a mark or `next` already holds them. */
  readonly duplicates: number;
  readonly deadLetters: number;
  /** Repeated attempts of single records. */
  readonly retries: number;
  /** Records that windows have dropped, because they were late and no side output takes late ones. */
  readonly lateRecords: number;
  /** Attempts started again because another invocation had committed. */
  readonly conflicts: number;
  /** Gaps in a source's offsets that were committed. */
  readonly gaps: number;
  /** The task's watermark behind the batch; −∞ where it has none. */
  readonly watermark: number;
  /** Messages of a source without a value, which are dropped. */
  readonly tombstones: number;
  /** True if the task's state was read from the store rather than from this environment. */
  readonly coldState: boolean;
  /** Input time of the records applied: log time at the source (earliest, latest) and how many; for latency. */
  readonly ingest: readonly Ingest[];
  /** With MILLRACE_REPORT_KEYS: keys that a keyBy without a hop has set, as `stateKey` writes them. No other task may have them. */
  readonly keys: readonly string[];
  /** Ms of wall time from event to commit. */
  readonly durationMs: number;
}

/** Subscribers receive a `BatchMetrics`. */
export const stageBatchChannel = channel('millrace:stage:batch');
