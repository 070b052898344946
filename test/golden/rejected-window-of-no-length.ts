// fails: MILLRACE_OPTION_INVALID
import { pipeline, TumblingEventTimeWindows } from 'millrace';

export default pipeline('p', (env) => {
  env
    .fromElements(1)
    .keyBy((value) => value)
    .window(TumblingEventTimeWindows.of(0))
    .count()
    .uid('n')
    .print();
});
