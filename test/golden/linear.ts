// No key, no channel: everything is chained in the source's stage, which needs no fence.
import { json, kafka, pipeline } from 'millrace';

export default pipeline('linear', (env) => {
  env
    .fromSource(kafka.source({ topic: 'orders', value: json<{ id: string; amount: number }>() }), { uid: 'orders' })
    .filter(({ amount }) => amount > 0)
    .map(({ id }) => id.toUpperCase())
    .name('ids')
    .flatMap((id) => id.split('-'))
    .print();
});
