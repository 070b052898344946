// fails: MILLRACE_STATE_WITHOUT_KEY
import { pipeline, type JoinedEqualTo } from 'millrace';

export default pipeline('p', (env) => {
  const numbers = env.fromElements(1);
  // As JavaScript can call it.
  const joined = numbers.join(numbers) as unknown as JoinedEqualTo<number, number, number>;
  joined
    .window('1 minute')
    .apply((one, two) => one + two)
    .print();
});
