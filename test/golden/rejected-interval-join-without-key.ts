// fails: MILLRACE_STATE_WITHOUT_KEY
import { type KeyedStream, pipeline } from 'millrace';

export default pipeline('p', (env) => {
  const numbers = env.fromElements(1);
  // As JavaScript can call it.
  (numbers as unknown as KeyedStream<number, number>)
    .intervalJoin(numbers.keyBy((n) => n))
    .between(0, 1)
    .process({ processElement: (left, right) => [left + right] })
    .uid('sums')
    .print();
});
