// fails: MILLRACE_UID_MISSING
import { pipeline } from 'millrace';

export default pipeline('p', (env) => {
  env
    .fromElements(1, 2)
    .filter((n) => n > 1)
    .keyBy((n) => n)
    .count()
    .print();
});
