// fails: MILLRACE_OPTION_INVALID
import { pipeline } from 'millrace';

export default pipeline('p', (env) => {
  const numbers = env.fromElements(1).keyBy((n) => n);
  // As JavaScript can call it.
  numbers
    .temporalJoin(numbers, { type: 'outer' as 'left' })
    .apply((n) => n)
    .uid('joined')
    .print();
});
