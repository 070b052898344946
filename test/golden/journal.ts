// A journal gives a source stage a fence; so its batches, too, are committed before anything leaves.
import { json, kafka, pipeline } from 'millrace';

interface Order {
  readonly id: string;
  readonly customer: string;
}

export default pipeline('journal', (env) => {
  env
    .fromSource(kafka.source({ topic: 'orders', value: json<Order>() }), { uid: 'orders' })
    .map((order) => ({ ...order, draw: Math.random() }))
    .journal()
    .keyBy(({ customer }) => customer)
    .count()
    .uid('per-customer')
    .print();
});
