// What is broadcast goes to every partition of the channel, keyed or not; its state is named apart from that of keys.
import { json, kafka, mapState, pipeline, Types, valueState } from 'millrace';

interface Order {
  readonly customer: string;
  readonly amount: number;
}

const limits = mapState('limits', Types.string, Types.number);

export default pipeline('broadcast-state', (env) => {
  const orders = env.fromSource(kafka.source({ topic: 'orders', value: json<Order>() }), { uid: 'orders' });
  const changes = env.fromSource(kafka.source({ topic: 'limits', value: json<Order>() }), { uid: 'changes' });
  const broadcast = changes.broadcast(limits);
  orders
    .keyBy(({ customer }) => customer)
    .connect(broadcast)
    .process({
      state: { spent: valueState('spent', { default: 0 }) },
      processElement: (order, ctx) => (order.amount > (ctx.getBroadcastState(limits).get(ctx.key) ?? 100) ? [order] : []),
      processBroadcastElement({ customer, amount }, ctx) {
        ctx.getBroadcastState(limits).put(customer, amount);
      },
    })
    .uid('over-limit')
    .print();
  orders
    .connect(broadcast)
    .process({ processElement: (order) => [order], processBroadcastElement: () => [] })
    .uid('unkeyed')
    .setParallelism(2)
    .print();
});
