// fails: MILLRACE_PIPELINE_EMPTY
import { pipeline } from 'millrace';

export default pipeline('p', (env) => {
  env.fromElements(1).map((n) => n + 1);
});
