// fails: MILLRACE_OPTION_INVALID
import { type IntervalJoined, pipeline } from 'millrace';

export default pipeline('p', (env) => {
  const numbers = env.fromElements(1).keyBy((n) => n);
  // As JavaScript can call it.
  const joined = numbers.intervalJoin(numbers) as unknown as IntervalJoined<number, number, number>;
  joined
    .process({ processElement: (left, right) => [left + right] })
    .uid('sums')
    .print();
});
