// fails: MILLRACE_STATE_DUPLICATE
import { listState, pipeline, Types, valueState } from 'millrace';

export default pipeline('p', (env) => {
  env
    .fromElements(1)
    .keyBy((n) => n)
    .process({ state: { a: valueState('a', { default: 0 }), b: listState('a', Types.number) }, processElement: () => [1] })
    .uid('a')
    .print();
});
