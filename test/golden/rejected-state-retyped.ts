// fails: MILLRACE_STATE_RETYPED
import { pipeline } from 'millrace';

export default pipeline('p', (env) => {
  env
    .fromElements({ word: 'a', length: 1 })
    .keyBy(({ word }) => word)
    .sum('length')
    .uid('lengths')
    .print();
});
