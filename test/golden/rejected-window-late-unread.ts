// fails: MILLRACE_STREAM_UNUSED
import { outputTag, pipeline, Types } from 'millrace';

export default pipeline('p', (env) => {
  env
    .fromElements(1)
    .keyBy((value) => value)
    .window('1 minute')
    .sideOutputLateData(outputTag('late', Types.number))
    .count()
    .uid('n')
    .print();
});
