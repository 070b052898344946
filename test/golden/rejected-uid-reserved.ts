// fails: MILLRACE_UID_INVALID
import { json, kafka, pipeline } from 'millrace';

export default pipeline('p', (env) => {
  env.fromSource(kafka.source({ topic: 'a', value: json() }), { uid: 'dlq' }).print();
});
