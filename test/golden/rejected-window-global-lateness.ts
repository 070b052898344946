// fails: MILLRACE_OPTION_INVALID
import { pipeline } from 'millrace';

export default pipeline('p', (env) => {
  env
    .fromElements(1)
    .keyBy((value) => value)
    .countWindow(10)
    .allowedLateness('1 minute')
    .count()
    .uid('n')
    .print();
});
