// fails: MILLRACE_PARAM_UNKNOWN
// param: topc=orders
import { json, kafka, pipeline } from 'millrace';

export default pipeline('p', (env) => {
  env.fromSource(kafka.source({ topic: env.param('topic', { default: 'a' }), value: json() }), { uid: 'a' }).print();
});
