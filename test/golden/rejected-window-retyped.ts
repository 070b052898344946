// fails: MILLRACE_STATE_RETYPED
import { pipeline, SlidingEventTimeWindows } from 'millrace';

export default pipeline('p', (env) => {
  env
    .fromElements(1)
    .keyBy((value) => value)
    .window(SlidingEventTimeWindows.of('1 minute', '10 seconds'))
    .count()
    .uid('n')
    .print();
});
