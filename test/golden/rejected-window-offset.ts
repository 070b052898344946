// fails: MILLRACE_OPTION_INVALID
import { pipeline, TumblingEventTimeWindows } from 'millrace';

export default pipeline('p', (env) => {
  env
    .fromElements(1)
    .keyBy((value) => value)
    .window(TumblingEventTimeWindows.of('1 minute', '-1 hour'))
    .count()
    .uid('n')
    .print();
});
