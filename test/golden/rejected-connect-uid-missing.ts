// fails: MILLRACE_UID_MISSING
import { pipeline } from 'millrace';

export default pipeline('p', (env) => {
  const numbers = env.fromElements(1).keyBy((n) => n);
  numbers
    .connect(numbers)
    .process({ processElement1: () => [1], processElement2: () => [2], onTimer: () => [3] })
    .print();
});
