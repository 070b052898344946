// Two branches of one stage into one keyed channel: one upstream, two tags. Behind it the key is forgotten, and one channel serves both readers.
import { pipeline } from 'millrace';

export default pipeline('union-of-branches-into-key', (env) => {
  const numbers = env.fromElements(1, 2, 3);
  const keyed = numbers
    .filter((n) => n > 1)
    .union(numbers.map((n) => -n))
    .keyBy((n) => n % 2);
  keyed
    .reduce((left, right) => left + right)
    .uid('sum')
    .print('sum');
  keyed.map((n) => `${n}`).print('text');
});
