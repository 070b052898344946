// fails: MILLRACE_OPTION_INVALID
import { json, kafka, pipeline } from 'millrace';

export default pipeline('two-readers', (env) => {
  const source = (topic: string) => kafka.source({ topic, value: json<string>(), group: 'readers' });
  env.fromSource(source('a'), { uid: 'a' }).print();
  env.fromSource(source('b'), { uid: 'b' }).print();
});
