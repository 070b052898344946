// One keyed channel; the stage behind it is named after its first stateful operator.
import { pipeline } from 'millrace';

export default pipeline('word-count', { parallelism: 2 }, (env) => {
  env
    .fromElements('to be', 'or not to be')
    .flatMap((line) => line.split(' '))
    .keyBy((word) => word)
    .count()
    .name('Count per word')
    .print('words');
});
