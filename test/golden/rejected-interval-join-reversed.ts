// fails: MILLRACE_OPTION_INVALID
import { pipeline } from 'millrace';

export default pipeline('p', (env) => {
  const numbers = env.fromElements(1).keyBy((n) => n);
  numbers
    .intervalJoin(numbers)
    .between('1 minute', '-1 minute')
    .process({ processElement: (left, right) => [left + right] })
    .uid('sums')
    .print();
});
