// A topic that is written and read is no cycle as long as nothing comes back to where it was.
import { json, kafka, pipeline } from 'millrace';

export default pipeline('topics-in-a-row', (env) => {
  env.fromSource(kafka.source({ topic: 'a', value: json() }), { uid: 'a' }).sinkTo(kafka.sink({ topic: 'b', value: json() }));
  env.fromSource(kafka.source({ topic: 'b', value: json() }), { uid: 'b' }).sinkTo(kafka.sink({ topic: 'c', value: json() }));
});
