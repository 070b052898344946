// fails: MILLRACE_UID_MISSING
import { pipeline } from 'millrace';

export default pipeline('p', (env) => {
  const numbers = env.fromElements(1);
  numbers
    .join(numbers)
    .where((n) => n)
    .equalTo((n) => n)
    .window('1 minute')
    .apply((one, two) => one + two)
    .print();
});
