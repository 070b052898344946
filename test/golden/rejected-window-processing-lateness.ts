// fails: MILLRACE_OPTION_INVALID
import { pipeline, TumblingProcessingTimeWindows } from 'millrace';

export default pipeline('p', (env) => {
  env
    .fromElements(1)
    .keyBy((value) => value)
    .window(TumblingProcessingTimeWindows.of('1 minute'))
    .allowedLateness('1 minute')
    .count()
    .uid('n')
    .print();
});
