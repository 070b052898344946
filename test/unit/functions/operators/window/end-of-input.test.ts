import { expect, test } from '@jest/globals';
import {
  type GlobalWindow,
  GlobalWindows,
  json,
  kafka,
  pipeline,
  SlidingProcessingTimeWindows,
  type Trigger,
  WatermarkStrategy,
} from '../../../../../functions/index.ts';
import { runPipeline } from '../../../../../local/testing.ts';

const sink = kafka.sink({ topic: 'out', value: json() });

test('each of the sliding windows that are open in processing time gives its result', async () => {
  const run = await runPipeline(
    pipeline('sliding', { parallelism: 1 }, (env) => {
      env
        .fromCollection([{ key: 'a' }], { uid: 'given' })
        .keyBy(({ key }) => key)
        .window(SlidingProcessingTimeWindows.of('60 seconds', '10 seconds'))
        .count()
        .uid('windows')
        .sinkTo(sink);
    }),
  );

  expect(run.sinks['out']).toHaveLength(6);
});

test("a user's trigger that always registers its next timer ends as a dead letter", async () => {
  let calls = 0;
  const register = (time: number, ctx: { registerEventTimeTimer: (time: number) => void }): 'CONTINUE' => {
    calls++;
    ctx.registerEventTimeTimer(time);
    return 'CONTINUE';
  };
  const trigger: Trigger<unknown, GlobalWindow> = {
    onElement: (_value, _time, _window, ctx) => register(1000, ctx),
    onEventTime: (time, _window, ctx) => register(time + 1000, ctx),
    onProcessingTime: () => 'CONTINUE',
    clear: () => undefined,
  };
  const run = await runPipeline(
    pipeline('endless', { parallelism: 1 }, (env) => {
      env
        .fromCollection([{ key: 'a', at: 0 }], { uid: 'given' })
        .assignTimestampsAndWatermarks(WatermarkStrategy.forMonotonousTimestamps().withTimestampAssigner(({ at }: { at: number }) => at))
        .keyBy(({ key }) => key)
        .window(GlobalWindows.create())
        .trigger(trigger)
        .count()
        .uid('windows')
        .sinkTo(sink);
    }),
  );

  expect(run.deadLetters.map(({ code }) => code)).toEqual(['MILLRACE_TIMERS_ENDLESS']);
  expect(calls).toBeLessThan(5000);
});
