import { type DataStream, json, kafka, type KeyedStream, pipeline, WatermarkStrategy } from '../../../../../functions/index.ts';
import { kafkaEvent, runStage } from '../../../../../local/testing.ts';
import type { Reading } from './run-windows.ts';

/** A reading, and the time at which it is appended to the log; `tick` only moves time. */
export interface Appended extends Reading {
  readonly now: number;
  readonly tick?: boolean;
}

/**
 * Runs one stage with a record at each of these log append times: processing time, and by default event time, too. The input does not end, so
 * what fires has fired because of a record.
 */
export async function runAppended(
  records: readonly Appended[],
  build: (keyed: KeyedStream<Appended, string>) => DataStream<unknown>,
): Promise<{ readonly results: readonly unknown[]; readonly errors: readonly string[] }> {
  const made = pipeline('triggers', { parallelism: 1, watermarkIntervalMs: 1 }, (env) => {
    const source = env
      .fromSource(kafka.source({ topic: 'readings', value: json<Appended>(), keyedByRecordKey: true }), { uid: 'readings' })
      .assignTimestampsAndWatermarks(WatermarkStrategy.forMonotonousTimestamps().withTimestampAssigner(({ at }: Appended) => at))
      .filter(({ tick }) => tick !== true);
    build(source.keyBy(({ key }) => key)).sinkTo(kafka.sink({ topic: 'out', value: json() }));
  });
  const event = kafkaEvent({ topic: 'readings', records: records.map((record) => ({ value: record, timestamp: record.now })) });
  const run = await runStage(made, 'readings', event, { partitions: 1 });
  return { results: (run.sinks['out'] ?? []).map(({ value }) => value), errors: run.deadLetters.map(({ error }) => error) };
}

export function appended(now: number, key: string, value: number, at = now): Appended {
  return { now, at, key, value };
}

/** Nothing but time. */
export function tick(now: number): Appended {
  return { now, at: now, key: '', value: 0, tick: true };
}
