// What the lock file holds is still there, and what is new is added: the plan goes on under the locked generation.
import { pipeline } from 'millrace';

export default pipeline('locked', (env) => {
  const words = env.fromElements('a', 'b').keyBy((word) => word);
  words.count().uid('count').print();
  words
    .reduce((left, right) => left + right)
    .uid('added')
    .setParallelism(8)
    .print();
});
