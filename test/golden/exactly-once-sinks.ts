// A source stage whose one output is an exactly-once sink needs no fence; one that also feeds another stage keeps one.
import { json, kafka, pipeline } from 'millrace';

interface Order {
  readonly id: string;
  readonly customer: string;
}

export default pipeline('exactly-once-sinks', (env) => {
  env
    .fromSource(kafka.source({ topic: 'orders', value: json<Order>() }), { uid: 'orders' })
    .filter(({ customer }) => customer !== '')
    .sinkTo(kafka.sink({ topic: 'valid-orders', value: json(), delivery: 'exactly-once' }));
  const returns = env.fromSource(kafka.source({ topic: 'returns', value: json<Order>() }), { uid: 'returns' });
  returns.sinkTo(kafka.sink({ topic: 'returns-copy', value: json(), delivery: 'exactly-once' }));
  returns
    .keyBy(({ customer }) => customer)
    .count()
    .uid('returns-per-customer')
    .sinkTo(kafka.sink({ topic: 'counts', value: json(), delivery: 'exactly-once' }));
});
