// fails: MILLRACE_STATE_WITHOUT_KEY
import { pipeline, valueState } from 'millrace';

export default pipeline('p', (env) => {
  env
    .fromElements(1)
    // @ts-expect-error the types forbid it; a JavaScript user learns it here
    .process({ state: { seen: valueState('seen', { default: 0 }) }, processElement: () => [1] })
    .uid('seen')
    .print();
});
