// How sinks write to topics stands in the plan.
import { json, kafka, pipeline } from 'millrace';

export default pipeline('sink-options', (env) => {
  const values = env.fromSource(kafka.source({ topic: 'in', value: json<string>() }), { uid: 'in' });
  values.sinkTo(kafka.sink({ topic: 'a', value: json(), compression: 'snappy', acks: 1, timestamps: 'event-time' }));
  values.sinkTo(kafka.sink({ topic: 'b', value: json(), compression: 'lz4', delivery: 'exactly-once' }));
  values.sinkTo(kafka.sink({ topic: 'c', value: json() }));
});
