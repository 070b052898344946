// fails: MILLRACE_OPTION_INVALID
import { json, kafka, pipeline } from 'millrace';

export default pipeline('p', (env) => {
  env
    .fromSource(kafka.source({ topic: 'a', value: json() }), { uid: 'a' })
    .setParallelism(2)
    .print();
});
