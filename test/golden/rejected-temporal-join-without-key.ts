// fails: MILLRACE_STATE_WITHOUT_KEY
import { type KeyedStream, pipeline } from 'millrace';

export default pipeline('p', (env) => {
  const numbers = env.fromElements(1);
  // As JavaScript can call it.
  (numbers as unknown as KeyedStream<number, number>)
    .temporalJoin(numbers.keyBy((n) => n))
    .apply((n) => n)
    .uid('joined')
    .print();
});
