// Branches of one stage meet again without a hop.
import { pipeline } from 'millrace';

export default pipeline('union-within-a-stage', (env) => {
  const numbers = env.fromElements(1, 2, 3);
  const even = numbers.filter((n) => n % 2 === 0);
  const odd = numbers.filter((n) => n % 2 === 1).map((n) => -n);
  even
    .union(odd)
    .map((n) => n * 10)
    .print();
});
