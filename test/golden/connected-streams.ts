// Two streams with one key meet behind one channel; without a key, in the stage that both come from. A stream can meet itself.
import { json, kafka, pipeline, Types, valueState } from 'millrace';

interface Order {
  readonly id: string;
  readonly total: number;
}

interface Payment {
  readonly order: string;
  readonly amount: number;
}

export default pipeline('connected-streams', (env) => {
  const orders = env.fromSource(kafka.source({ topic: 'orders', value: json<Order>() }), { uid: 'orders' });
  const payments = env.fromSource(kafka.source({ topic: 'payments', value: json<Payment>() }), { uid: 'payments' });
  const byId = orders.keyBy(({ id }) => id);

  byId
    .connect(payments.keyBy(({ order }) => order))
    .process({
      state: { order: valueState('order', Types.json<Order>()) },
      processElement1(order, ctx) {
        ctx.state.order.update(order);
      },
      processElement2: ({ amount }, ctx) => [{ order: ctx.state.order.value(), amount }],
    })
    .uid('paid')
    .setParallelism(2)
    .print();
  orders
    .filter(({ total }) => total > 100)
    .connect(orders)
    .map({ map1: ({ id }) => `large ${id}`, map2: ({ id }) => id })
    .print();
  byId
    .connect(byId)
    .flatMap({ flatMap1: ({ id }) => [id], flatMap2: () => [] })
    .name('Itself')
    .print();
  orders
    .connect(payments)
    .keyBy(
      ({ id }) => id,
      ({ order }) => order,
    )
    .map({ map1: ({ total }) => total, map2: ({ amount }) => -amount })
    .print();
  orders
    .connect(payments.union(payments))
    .process({ processElement1: ({ id }) => [id], processElement2: () => [] })
    .print();
});
