// fails: MILLRACE_STREAM_UNUSED
import { outputTag, pipeline, Types } from 'millrace';

export default pipeline('p', (env) => {
  const numbers = env.fromElements(1).keyBy((n) => n);
  numbers
    .temporalJoin(numbers)
    .sideOutputLateData(outputTag('late', Types.number))
    .apply((n) => n)
    .uid('joined')
    .print();
});
