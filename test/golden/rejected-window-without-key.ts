// fails: MILLRACE_STATE_WITHOUT_KEY
import { pipeline } from 'millrace';

export default pipeline('p', (env) => {
  const numbers = env.fromElements(1);
  // @ts-expect-error the types forbid it; a JavaScript user learns it here
  numbers.window('1 minute');
});
