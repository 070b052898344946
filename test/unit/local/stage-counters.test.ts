import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, test } from '@jest/globals';
import { json, kafka, pipeline, valueState } from '../../../functions/index.ts';
import type { BatchMetrics } from '../../../functions/runtime/metrics.ts';
import { ManualClock, runPipeline } from '../../../local/testing.ts';
import { StageCounters } from '../../../local/stage-counters.ts';

const SECOND = 1000;

/** Emits each key once, when the input has ended; a stage behind another hop takes what it emits. */
const atTheEnd = pipeline('ends', (env) => {
  env
    .fromCollection(['a', 'b', 'a'], { uid: 'letters' })
    .keyBy((letter) => letter)
    .process({
      state: { seen: valueState('seen', { default: 0 }) },
      processElement(_, ctx) {
        ctx.timerService.registerEventTimeTimer(Number.MAX_SAFE_INTEGER);
        return [];
      },
      onTimer: (_, ctx) => [ctx.key],
    })
    .uid('last')
    .keyBy((letter) => letter)
    .reduce((a, b) => a + b)
    .uid('again')
    .sinkTo(kafka.sink({ topic: 'out', value: json() }));
});

test('what a timer emits at the end of the input has no latency', async () => {
  const clock = new ManualClock();
  const counters = new Map<string, StageCounters>();
  const count = (message: unknown): void => {
    const metrics = message as BatchMetrics;
    const stage = counters.get(metrics.stage) ?? new StageCounters();
    counters.set(metrics.stage, stage);
    stage.count({ durationMs: 1, metrics: [metrics] } as never, [], clock.now() + SECOND);
  };
  subscribe('millrace:stage:batch', count);
  try {
    await runPipeline(atTheEnd, { clock });
  } finally {
    unsubscribe('millrace:stage:batch', count);
  }

  const latencies = [...counters].map(([stage, { recordsIn, sinceSource }]) => [stage, recordsIn, sinceSource.quantile(1)]);
  expect(latencies).toEqual([
    ['letters', 3, expect.closeTo(SECOND, -2)],
    ['last', 3, expect.closeTo(SECOND, -2)],
    ['again', 2, undefined],
  ]);
});

test('a frame of records with and without a source counts those with one', () => {
  const stage = new StageCounters();
  const metrics = { recordsIn: 2, recordsOut: 0, ingest: [[0, 5000, 2]] } as unknown as BatchMetrics;

  stage.count({ durationMs: 1, metrics: [metrics] } as never, [], 5000 + SECOND);

  expect(stage.sinceSource.quantile(1)).toBeCloseTo(SECOND, -2);
});

test('the watermark of a stage is that of its slowest task, and none before all have been seen', () => {
  const stage = new StageCounters();
  const note = (partition: number, watermark: number): number => {
    const metrics = { topic: 'in', partition, watermark, ingest: [] } as unknown as BatchMetrics;
    stage.count({ durationMs: 1, metrics: [metrics] } as never, [], 0);
    return stage.watermark(2);
  };

  expect([note(0, 100), note(1, -Infinity), note(1, 50), note(0, 0), note(1, Infinity)]).toEqual([-Infinity, -Infinity, 50, 50, 100]);
});
