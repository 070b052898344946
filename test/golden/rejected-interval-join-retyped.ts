// fails: MILLRACE_STATE_RETYPED
import { pipeline } from 'millrace';

export default pipeline('p', (env) => {
  const numbers = env.fromElements(1).keyBy((n) => n);
  numbers
    .intervalJoin(numbers)
    .between(0, '1 day')
    .process({ processElement: (left, right) => [left + right] })
    .uid('sums')
    .print();
});
