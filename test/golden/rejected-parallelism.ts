// fails: MILLRACE_OPTION_INVALID
import { pipeline } from 'millrace';

export default pipeline('p', { maxParallelism: 8 }, (env) => {
  env
    .fromElements(1)
    .map((n) => n)
    .setParallelism(9)
    .print();
});
