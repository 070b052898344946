// A pattern is printed as it is: topics are looked up where there is a log.
import { json, kafka, pipeline, string } from 'millrace';

interface Order {
  readonly amount: number;
}

export default pipeline('pattern', (env) => {
  env
    .fromSource(
      kafka.source({
        pattern: /orders-[a-z]+/i,
        value: json<Order>(),
        key: string(),
        group: 'order-readers',
        start: { timestamp: 1_790_000_000_000 },
        properties: { 'max.poll.records': 250, 'fetch.max.wait.ms': '20' },
      }),
      { uid: 'orders' },
    )
    .map(({ key, topic, value }) => ({ customer: key ?? topic, amount: value.amount }))
    .keyBy(({ customer }) => customer)
    .sum('amount')
    .uid('totals')
    .print();
});
