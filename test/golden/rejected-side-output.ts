// fails: MILLRACE_OPTION_INVALID
import { outputTag, pipeline, Types } from 'millrace';

export default pipeline('p', (env) => {
  env
    .fromElements(1)
    .map((n) => n)
    .getSideOutput(outputTag('late', Types.number))
    .print();
});
