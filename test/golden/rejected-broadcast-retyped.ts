// fails: MILLRACE_STATE_RETYPED
import { mapState, pipeline, Types } from 'millrace';

export default pipeline('p', (env) => {
  const numbers = env.fromElements(1);
  numbers
    .connect(numbers.broadcast(mapState('rules', Types.number, Types.string)))
    .process({ processElement: (n) => [n], processBroadcastElement: () => [] })
    .uid('ruled')
    .print();
});
