// fails: MILLRACE_HOP_UNSUPPORTED
import { pipeline } from 'millrace';

export default pipeline('p', (env) => {
  // @ts-expect-error the types know only Kafka hops
  env.fromElements(1).hop('zeromq').print();
});
