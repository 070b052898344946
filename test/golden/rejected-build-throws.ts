// fails: MILLRACE_BUILD_FAILED
import { pipeline } from 'millrace';

export default pipeline('p', () => {
  throw new TypeError('no such table');
});
