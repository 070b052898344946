// fails: MILLRACE_STATE_WITHOUT_KEY
import { pipeline } from 'millrace';

export default pipeline('p', (env) => {
  const numbers = env.fromElements(1);
  // As JavaScript can call it.
  numbers
    .keyBy((n) => n)
    .connect(numbers as never)
    .map({ map1: (n) => n, map2: (n) => n })
    .print();
});
