// fails: MILLRACE_OPTION_INVALID
import { GlobalWindows, pipeline } from 'millrace';

export default pipeline('p', (env) => {
  const numbers = env.fromElements(1);
  numbers
    .join(numbers)
    .where((n) => n)
    .equalTo((n) => n)
    .window(GlobalWindows.create())
    .apply((one, two) => one + two)
    .uid('sums')
    .print();
});
