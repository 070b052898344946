// Two keyed streams within an interval: one stage with state of both sides, and a side output for the late records of each.
import { json, kafka, outputTag, pipeline, Types } from 'millrace';

interface Order {
  readonly id: string;
}

interface Payment {
  readonly order: string;
}

const late = outputTag('late', Types.json<Payment>());

export default pipeline('interval-join', (env) => {
  const orders = env.fromSource(kafka.source({ topic: 'orders', value: json<Order>() }), { uid: 'orders' });
  const payments = env.fromSource(kafka.source({ topic: 'payments', value: json<Payment>() }), { uid: 'payments' });
  const paid = orders
    .keyBy(({ id }) => id)
    .intervalJoin(payments.keyBy(({ order }) => order))
    .between('-1 minute', '1 hour')
    .upperBoundExclusive()
    .sideOutputRightLateData(late)
    .process({ processElement: ({ id }, _payment, ctx) => [{ id, after: ctx.rightTimestamp - ctx.leftTimestamp }] })
    .uid('paid');
  paid.print();
  paid.getSideOutput(late).print();
});
