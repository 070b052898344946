// fails: MILLRACE_STATE_WITHOUT_KEY
import { pipeline, valueState } from 'millrace';

export default pipeline('p', (env) => {
  const numbers = env.fromElements(1);
  const fn = { state: { n: valueState('n', { default: 0 }) }, processElement1: () => [1], processElement2: () => [2] };
  // As JavaScript can call it.
  numbers
    .connect(numbers)
    .process(fn as never)
    .print();
});
