// A hop and a change of parallelism each begin a stage; a hop right before a keyBy does not cost another one.
import { pipeline } from 'millrace';

export default pipeline('hops-and-parallelism', { parallelism: 2 }, (env) => {
  env
    .fromCollection([1, 2, 3], { uid: 'numbers', parallelism: 3 })
    .map((n) => n + 1)
    .hop('kafka')
    .map((n) => n * 2)
    .name('double')
    .filter((n) => n > 0)
    .setParallelism(8)
    .hop('kafka')
    .keyBy((n) => n)
    .count()
    .uid('count')
    .setParallelism(5)
    .print();
});
