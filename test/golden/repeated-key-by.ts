// Only the last of two keyBys counts; readers of one keyBy with other parallelisms have channels of their own.
import { pipeline } from 'millrace';

export default pipeline('repeated-key-by', (env) => {
  const numbers = env.fromElements({ a: 1, b: 2 });
  const keyed = numbers.keyBy(({ a }) => a).keyBy(({ b }) => b);
  keyed.sum('a').uid('sum').print();
  keyed.min('a').uid('min').setParallelism(8).print();
  keyed.max('a').uid('max').print();
});
