// A record waits for the version that was valid at its time; both are state of one stage.
import { json, kafka, outputTag, pipeline, Types } from 'millrace';

interface Order {
  readonly currency: string;
  readonly amount: number;
}

interface Rate {
  readonly currency: string;
  readonly euros: number;
}

const late = outputTag('late', Types.json<Order>());

export default pipeline('temporal-join', (env) => {
  const orders = env.fromSource(kafka.source({ topic: 'orders', value: json<Order>() }), { uid: 'orders' });
  const rates = env.fromSource(kafka.source({ topic: 'rates', value: json<Rate>() }), { uid: 'rates' });
  const inEuros = orders
    .keyBy(({ currency }) => currency)
    .temporalJoin(
      rates.keyBy(({ currency }) => currency),
      { type: 'left' },
    )
    .sideOutputLateData(late)
    .apply((order, rate) => ({ ...order, euros: rate && order.amount * rate.euros }))
    .uid('in-euros');
  inEuros.print();
  inEuros.getSideOutput(late).print();
});
