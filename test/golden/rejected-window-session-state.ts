// fails: MILLRACE_OPTION_INVALID
import { EventTimeSessionWindows, pipeline, valueState } from 'millrace';

export default pipeline('p', (env) => {
  env
    .fromElements(1)
    .keyBy((value) => value)
    .window(EventTimeSessionWindows.withGap('1 minute'))
    .process({ windowState: { n: valueState('n', { default: 0 }) }, process: () => [1] })
    .uid('n')
    .print();
});
