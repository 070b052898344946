// fails: MILLRACE_OPTION_INVALID
import { pipeline } from 'millrace';

export default pipeline('p', (env) => {
  env.fromElements(1).windowAll('1 minute').count().uid('n').setParallelism(2).print();
});
