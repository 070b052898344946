// fails: MILLRACE_OPTION_INVALID
import { EventTimeSessionWindows, pipeline } from 'millrace';

export default pipeline('p', (env) => {
  env
    .fromElements(1)
    .keyBy((value) => value)
    .window(EventTimeSessionWindows.withGap('1 minute'))
    .trigger({
      onElement: () => 'FIRE',
      onEventTime: () => 'CONTINUE',
      onProcessingTime: () => 'CONTINUE',
      clear: () => undefined,
    })
    .count()
    .uid('n')
    .print();
});
