// fails: MILLRACE_PARAM_MISSING
import { json, kafka, pipeline } from 'millrace';

export default pipeline('p', (env) => {
  env.fromSource(kafka.source({ topic: env.param('topic'), value: json() }), { uid: 'a' }).print();
});
