// fails: MILLRACE_OPTION_INVALID
import { pipeline, type TimeWindow, type WindowedJoin } from 'millrace';

export default pipeline('p', (env) => {
  const numbers = env.fromElements(1);
  // As JavaScript can call it.
  const joined = numbers
    .join(numbers)
    .where((n) => n)
    .equalTo((n) => n) as unknown as WindowedJoin<number, number, number, TimeWindow>;
  joined
    .apply((one, two) => one + two)
    .uid('sums')
    .print();
});
