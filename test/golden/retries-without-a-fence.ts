// A stage without a fence may give up: its batch goes to the on-failure topic.
import { pipeline } from 'millrace';

export default pipeline('retries-without-a-fence', { maxRetries: 5 }, (env) => {
  env.fromElements(1).print();
});
