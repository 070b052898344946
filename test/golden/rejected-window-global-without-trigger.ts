// fails: MILLRACE_OPTION_INVALID
import { GlobalWindows, pipeline } from 'millrace';

export default pipeline('p', (env) => {
  env
    .fromElements(1)
    .keyBy((value) => value)
    .window(GlobalWindows.create())
    .count()
    .uid('n')
    .print();
});
