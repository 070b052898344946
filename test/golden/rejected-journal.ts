// fails: MILLRACE_OPTION_INVALID
import { pipeline } from 'millrace';

export default pipeline('p', (env) => {
  env.fromElements(1).hop('kafka').journal().print();
});
