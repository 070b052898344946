// fails: MILLRACE_UID_DUPLICATE
import { pipeline } from 'millrace';

export default pipeline('p', (env) => {
  const keyed = env.fromElements({ n: 1 }).keyBy(({ n }) => n);
  keyed.sum('n').uid('n').print();
  keyed.max('n').name('N').print();
});
