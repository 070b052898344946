// fails: MILLRACE_MAPPING_GIVES_UP
import { pipeline } from 'millrace';

export default pipeline('p', { maxRetries: 5 }, (env) => {
  env
    .fromElements(1)
    .keyBy((n) => n)
    .count()
    .uid('count')
    .print();
});
