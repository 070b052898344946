// fails: MILLRACE_CYCLE
import { json, kafka, pipeline } from 'millrace';

export default pipeline('mirror', (env) => {
  env
    .fromSource(kafka.source({ pattern: 'orders-.*', value: json<string>() }), { uid: 'orders' })
    .sinkTo(kafka.sink({ topic: 'orders-copied', value: json() }));
});
