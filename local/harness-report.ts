import type { Feeder } from './feeder.ts';
import type { LatencyHistogram } from './latency-histogram.ts';
import type { StageRun } from './stage-run.ts';
import { inputTopics } from './stage-topics.ts';

export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** One hop: the input of a stage, and what the stage made of it. */
export interface HopReport {
  readonly stage: string;
  readonly topics: readonly string[];
  readonly kind: 'source' | 'kafka';
  /** Records applied, without duplicates, and records sent on. */
  readonly recordsIn: number;
  readonly recordsOut: number;
  /** N: bytes of the hop that were delivered. */
  readonly bytes: number;
  /** R: bytes a second, from the first delivery to the last. */
  readonly rate: number;
  /** T = N / R, in seconds. */
  readonly seconds: number;
  readonly batches: number;
  readonly coldStarts: number;
  /** Batches that came again, and single records that were tried again within a batch. */
  readonly retries: number;
  readonly recordRetries: number;
  /** Records that windows have dropped, because they were late. */
  readonly lateRecords: number;
  readonly throttles: number;
  readonly deadLetters: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly gaps: number;
  /** Batches that went to the on-failure topic. */
  readonly givenUp: number;
  /** Share of `seconds` in which invocations ran, over all environments: 2 = two at a time. */
  readonly busy: number;
  /** Event time that all tasks of the stage have reached, in ms; −∞ before, and without watermarks; +∞ when the input has ended. */
  readonly watermark: number;
  /** Messages of the input that are not committed. */
  readonly lag: number;
  /** Ms from the log append at the source to the end of this stage's invocation; undefined without records. */
  readonly latencyMs: Latency | undefined;
  /** Ms from the append to this hop to the end of the stage's invocation. */
  readonly hopLatencyMs: Latency | undefined;
}

export interface FeedReport {
  readonly topic: string;
  readonly written: number;
  /** Records that an earlier run had written. */
  readonly skipped: number;
  readonly bytes: number;
  readonly isHeldBack: boolean;
}

export interface HarnessReport {
  readonly pipeline: string;
  /** False only if the run broke; records that failed are in `deadLetters`. */
  readonly ok: boolean;
  /** True if all input has ended and is through; false if the run was stopped. */
  readonly finished: boolean;
  /** Records of all sources that were applied. */
  readonly records: number;
  /** From the first record fed to the last output committed. */
  readonly seconds: number;
  readonly recordsPerSecond: number;
  readonly deadLetters: number;
  /** From a record's log append at the source to the end of the invocation that wrote to a sink. */
  readonly latencyMs: Latency | undefined;
  readonly feeds: readonly FeedReport[];
  readonly hops: readonly HopReport[];
}

export interface ReportParts {
  readonly pipeline: string;
  readonly runs: readonly StageRun[];
  readonly feeders: ReadonlyMap<string, Feeder>;
  readonly ok: boolean;
  readonly finished: boolean;
}

/** The figures as they stand: at the end, and for a live display. */
export function reportOf({ pipeline, runs, feeders, ok, finished }: ReportParts): HarnessReport {
  const hops = runs.map(reportHop);
  const records = runs.reduce((sum, { stage, counters }) => sum + (stage.input.kind === 'source' ? counters.recordsIn : 0), 0);
  const seconds = elapsed(runs, feeders);
  const sinks = runs.filter(({ stage }) => stage.operators.some(({ kind }) => kind === 'sink'));
  return {
    ...{ pipeline, ok, finished, records, seconds, hops },
    recordsPerSecond: seconds > 0 ? records / seconds : 0,
    deadLetters: hops.reduce((sum, { deadLetters }) => sum + deadLetters, 0),
    latencyMs: latencyOf(sinks.map(({ counters }) => counters.sinceSource)),
    feeds: [...feeders].map(([topic, { stats }]) => ({
      topic,
      written: stats.written,
      skipped: stats.skipped,
      bytes: stats.bytes,
      isHeldBack: stats.isHeldBack,
    })),
  };
}

function reportHop({ stage, counters, mapping, emulator, partitions }: StageRun): HopReport {
  const seconds = Math.max(0, ((counters.lastAt ?? 0) - (counters.firstAt ?? 0)) / 1000);
  const { stats } = mapping;
  const { recordsIn, recordsOut, recordRetries, lateRecords, deadLetters, duplicates, conflicts, gaps } = counters;
  return {
    ...{ recordsIn, recordsOut, recordRetries, lateRecords, deadLetters, duplicates, conflicts, gaps, seconds },
    stage: stage.id,
    topics: inputTopics(stage),
    kind: stage.input.kind === 'source' ? 'source' : 'kafka',
    bytes: Math.round(stats.bytes),
    rate: seconds > 0 ? stats.bytes / seconds : 0,
    batches: stats.batches,
    coldStarts: emulator.coldStarts,
    retries: stats.retries,
    throttles: stats.throttles,
    givenUp: stats.givenUp,
    busy: seconds > 0 ? counters.busyMs / 1000 / seconds : 0,
    watermark: counters.watermark(partitions.length),
    lag: mapping.lag,
    latencyMs: latencyOf([counters.sinceSource]),
    hopLatencyMs: latencyOf([counters.sinceInput]),
  };
}

function elapsed(runs: readonly StageRun[], feeders: ReadonlyMap<string, Feeder>): number {
  const starts = [...feeders.values()].map(({ stats }) => stats.startedAt).concat(runs.map(({ counters }) => counters.firstAt));
  const from = Math.min(...starts.filter((at) => at !== undefined));
  const to = Math.max(...runs.map(({ counters }) => counters.lastRecordAt ?? 0));
  return to > from ? (to - from) / 1000 : 0;
}

function latencyOf(histograms: readonly LatencyHistogram[]): Latency | undefined {
  const [first, ...others] = histograms;
  if (!first) return undefined;
  const all = others.length === 0 ? first : first.plus(others);
  const [p50, p99] = [all.quantile(0.5), all.quantile(0.99)];
  return p50 === undefined || p99 === undefined ? undefined : { p50, p99 };
}
