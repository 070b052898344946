// fails: MILLRACE_STREAM_UNUSED
import { pipeline } from 'millrace';

export default pipeline('p', (env) => {
  const numbers = env.fromElements(1);
  numbers.map((n) => n + 1);
  numbers.print();
});
