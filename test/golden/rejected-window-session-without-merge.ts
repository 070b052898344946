// fails: MILLRACE_OPTION_INVALID
import { EventTimeSessionWindows, pipeline } from 'millrace';

export default pipeline('p', (env) => {
  env
    .fromElements(1)
    .keyBy((value) => value)
    .window(EventTimeSessionWindows.withGap('1 minute'))
    .aggregate({ createAccumulator: () => 0, add: (sum, value) => sum + value, getResult: (sum) => sum })
    .uid('n')
    .print();
});
