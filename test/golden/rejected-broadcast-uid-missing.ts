// fails: MILLRACE_UID_MISSING
import { mapState, pipeline, Types } from 'millrace';

export default pipeline('p', (env) => {
  const numbers = env.fromElements(1);
  numbers
    .connect(numbers.broadcast(mapState('rules', Types.number, Types.number)))
    .process({ processElement: (n) => [n], processBroadcastElement: () => [] })
    .print();
});
