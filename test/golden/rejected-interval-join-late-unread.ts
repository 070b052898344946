// fails: MILLRACE_STREAM_UNUSED
import { outputTag, pipeline, Types } from 'millrace';

export default pipeline('p', (env) => {
  const numbers = env.fromElements(1).keyBy((n) => n);
  numbers
    .intervalJoin(numbers)
    .between(0, 1)
    .sideOutputLeftLateData(outputTag('late', Types.number))
    .process({ processElement: (left, right) => [left + right] })
    .uid('sums')
    .print();
});
