// fails: MILLRACE_OPTION_INVALID
import { json, kafka, pipeline } from 'millrace';

export default pipeline('differ', (env) => {
  const values = env.fromElements(1);
  values.sinkTo(kafka.sink({ topic: 'a', value: json(), compression: 'gzip' }));
  values.sinkTo(kafka.sink({ topic: 'a', value: json() }));
});
