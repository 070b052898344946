import {
  CountTrigger,
  EventTimeSessionWindows,
  outputTag,
  pipeline,
  SlidingEventTimeWindows,
  TumblingProcessingTimeWindows,
  Types,
  valueState,
  WatermarkStrategy,
} from 'millrace';

const late = outputTag('late', Types.object({ user: Types.string, at: Types.number }));

export default pipeline('p', (env) => {
  const clicks = env
    .fromElements({ user: 'a', at: 1 })
    .assignTimestampsAndWatermarks(
      WatermarkStrategy.forMonotonousTimestamps().withTimestampAssigner(({ at }: { readonly at: number }) => at),
    );
  const byUser = clicks.keyBy(({ user }) => user);
  const perMinute = byUser.window('1 minute').allowedLateness('1 minute').sideOutputLateData(late).count().uid('per-minute');
  perMinute.print();
  perMinute.getSideOutput(late).print('late');
  byUser
    .window(SlidingEventTimeWindows.of('1 hour', '1 minute'))
    .reduce((_held, next) => next)
    .uid('last')
    .print();
  byUser
    .window(EventTimeSessionWindows.withGap('10 minutes'))
    .trigger(CountTrigger.of(10))
    .process({ globalState: { seen: valueState('seen', { default: 0 }) }, process: (user) => [user] })
    .uid('sessions')
    .print();
  byUser.countWindow(10, 5).sum('at').uid('tens').print();
  clicks.windowAll(TumblingProcessingTimeWindows.of('1 second')).count().uid('all').print();
});
