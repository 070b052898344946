// fails: MILLRACE_OPTION_INVALID
import { pipeline, SlidingEventTimeWindows } from 'millrace';

export default pipeline('p', (env) => {
  env
    .fromElements(1)
    .keyBy((value) => value)
    .window(SlidingEventTimeWindows.of('1 minute', 0))
    .count()
    .uid('n')
    .print();
});
