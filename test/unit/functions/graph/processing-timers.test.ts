import { expect, test } from '@jest/globals';
import {
  ContinuousEventTimeTrigger,
  ContinuousProcessingTimeTrigger,
  CountTrigger,
  type DataStream,
  GlobalWindows,
  json,
  kafka,
  type KeyedStream,
  pipeline,
  ProcessingTimeTrigger,
  PurgingTrigger,
  TumblingEventTimeWindows,
  TumblingProcessingTimeWindows,
} from '../../../../functions/index.ts';
import { planPipeline } from '../../../../functions/graph/plan.ts';
import { hasProcessingTimers } from '../../../../functions/graph/processing-timers.ts';

type Keyed = KeyedStream<number, number>;

const eventTime = TumblingEventTimeWindows.of('1 second');

test.each<[boolean, string, (keyed: Keyed) => DataStream<unknown>]>([
  [true, 'windows in processing time', (keyed) => keyed.window(TumblingProcessingTimeWindows.of('1 second')).count()],
  [true, 'a processing-time trigger', (keyed) => keyed.window(eventTime).trigger(ProcessingTimeTrigger.create()).count()],
  [
    true,
    'one within a purging trigger',
    (keyed) =>
      keyed
        .window(GlobalWindows.create())
        .trigger(PurgingTrigger.of(ContinuousProcessingTimeTrigger.of('1 second')))
        .count(),
  ],
  [true, 'a process function with onTimer', (keyed) => keyed.process({ processElement: () => [], onTimer: () => [] })],
  [false, 'a process function without', (keyed) => keyed.process({ processElement: () => [] })],
  [false, 'windows in event time', (keyed) => keyed.window(eventTime).count()],
  [false, 'a trigger in event time', (keyed) => keyed.window(eventTime).trigger(ContinuousEventTimeTrigger.of(100)).count()],
  [false, 'a count trigger', (keyed) => keyed.window(GlobalWindows.create()).trigger(CountTrigger.of(2)).count()],
  [false, 'no timers', (keyed) => keyed.count()],
])('%s: %s', (expected, _, build) => {
  const graph = pipeline('p', (env) => {
    const numbers = env.fromSource(kafka.source({ topic: 'in', value: json<number>() }), { uid: 'in' });
    build(numbers.keyBy((n) => n))
      .uid('op')
      .print();
  }).build();
  const stages = planPipeline(graph).stages;

  expect(stages.map((stage) => hasProcessingTimers(stage, graph))).toEqual([false, expected]);
});
