import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { DataStream, KeyedStream, TimeWindow } from '../../../../../functions/index.ts';
import { json, kafka, outputTag, pipeline, Types, WatermarkStrategy } from '../../../../../functions/index.ts';
import type { BatchMetrics } from '../../../../../functions/runtime/metrics.ts';
import { type PipelineTestOptions, runPipeline } from '../../../../../local/testing.ts';

export interface Reading {
  readonly key: string;
  /** Event time in ms. */
  readonly at: number;
  readonly value: number;
}

export const lateTag = outputTag('late', Types.json<Reading>());

export interface Streams {
  readonly keyed: KeyedStream<Reading, string>;
  readonly all: DataStream<Reading>;
}

export interface WindowRun {
  readonly results: readonly unknown[];
  readonly late: readonly unknown[];
  readonly lateRecords: number;
  readonly errors: readonly string[];
}

export interface RunOptions extends Omit<PipelineTestOptions, 'input'> {
  readonly outOfOrdernessMs?: number;
  /** Tasks of the window stage. */
  readonly parallelism?: number;
}

/** Runs the readings, in order where there is one partition (the default), through windows; what `build` gives goes to a topic. */
export async function runWindows(
  readings: readonly Reading[],
  build: (streams: Streams) => DataStream<unknown>,
  { outOfOrdernessMs = 0, parallelism = 1, ...options }: RunOptions = {},
): Promise<WindowRun> {
  const made = pipeline('windows', { parallelism, watermarkIntervalMs: 1 }, (env) => {
    const source = env
      .fromSource(kafka.source({ topic: 'readings', value: json<Reading>() }), { uid: 'readings' })
      .assignTimestampsAndWatermarks(
        WatermarkStrategy.forBoundedOutOfOrderness(outOfOrdernessMs).withTimestampAssigner((reading: Reading) => reading.at),
      );
    const result = build({
      get keyed() {
        return source.keyBy(({ key }) => key);
      },
      all: source,
    });
    result.sinkTo(kafka.sink({ topic: 'out', value: json() }));
  });
  let lateRecords = 0;
  const count = (message: unknown): void => {
    lateRecords += (message as BatchMetrics).lateRecords;
  };
  subscribe('millrace:stage:batch', count);
  try {
    const { sinks, deadLetters } = await runPipeline(made, { partitions: 1, ...options, input: { readings } });
    const valuesOf = (topic: string): unknown[] => (sinks[topic] ?? []).map(({ value }) => value);
    return { results: valuesOf('out'), late: valuesOf('late'), lateRecords, errors: deadLetters.map(({ code }) => code) };
  } finally {
    unsubscribe('millrace:stage:batch', count);
  }
}

/** Sends late records to a topic of their own. */
export function withLate<O>(stream: DataStream<O>): DataStream<O> {
  stream.getSideOutput(lateTag).sinkTo(kafka.sink({ topic: 'late', value: json() }));
  return stream;
}

/** Elements of a window in order of arrival: what most of these tests look at. */
export interface Fired {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly values: readonly number[];
}

export function fired(key: string, window: TimeWindow, elements: readonly Reading[]): Fired[] {
  return [{ key, start: window.start, end: window.end, values: elements.map(({ value }) => value) }];
}
