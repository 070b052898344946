// fails: MILLRACE_BUILD_FAILED
import { pipeline } from 'millrace';

// eslint-disable-next-line @typescript-eslint/no-misused-promises -- what a user may write all the same
export default pipeline('p', async (env) => {
  await Promise.resolve();
  env.fromElements(1).print();
});
