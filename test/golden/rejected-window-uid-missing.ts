// fails: MILLRACE_UID_MISSING
import { pipeline } from 'millrace';

export default pipeline('p', (env) => {
  env
    .fromElements(1)
    .keyBy((value) => value)
    .window('1 minute')
    .count()
    .print();
});
