// param: topic=orders.v2
// Parameters become part of the plan.
import { json, kafka, pipeline } from 'millrace';

export default pipeline('params', { maxParallelism: 2 }, (env) => {
  const topic = env.param('topic');
  const copies = Number(env.param('copies', { default: '2' }));
  const orders = env.fromSource(kafka.source({ topic, value: json() }), { uid: 'orders' });
  for (let copy = 1; copy <= copies; copy++) orders.sinkTo(kafka.sink({ topic: `copy-${copy}`, value: json() }));
});
