// fails: MILLRACE_BUILD_FAILED
import { pipeline } from 'millrace';

export default pipeline('p', async (env) => {
  await Promise.resolve();
  env.fromElements(1).print();
});
