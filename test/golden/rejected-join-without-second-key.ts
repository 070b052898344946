// fails: MILLRACE_STATE_WITHOUT_KEY
import { type CoGroupedEqualTo, pipeline } from 'millrace';

export default pipeline('p', (env) => {
  const numbers = env.fromElements(1);
  // As JavaScript can call it.
  const grouped = numbers.coGroup(numbers).where((n) => n) as unknown as CoGroupedEqualTo<number, number, number>;
  grouped
    .window('1 minute')
    .apply((ones) => ones)
    .print();
});
