// fails: MILLRACE_UID_INVALID
import { pipeline } from 'millrace';

export default pipeline('p', (env) => {
  env.fromElements(1).uid('not a uid').print();
});
