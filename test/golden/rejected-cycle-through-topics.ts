// fails: MILLRACE_CYCLE
import { json, kafka, pipeline } from 'millrace';

export default pipeline('p', (env) => {
  const numbers = env.fromSource(kafka.source({ topic: 'numbers', value: json<number>() }), { uid: 'numbers' });
  numbers.sinkTo(kafka.sink({ topic: 'copies', value: json() }));
  const copies = env.fromSource(kafka.source({ topic: 'copies', value: json<number>() }), { uid: 'copies' });
  copies.sinkTo(kafka.sink({ topic: 'numbers', value: json() }));
});
