// State, timers and side outputs, over two hops, with external topics at both ends.
import { json, kafka, outputTag, pipeline, Types, valueState } from 'millrace';

interface Payment {
  readonly account: string;
  readonly country: string;
  readonly amount: number;
}

const suspicious = outputTag('suspicious', Types.object({ account: Types.string, amount: Types.number }));

export default pipeline('two-hops', (env) => {
  const accounts = env
    .fromSource(kafka.source({ topics: ['payments.eu', 'payments.us'], value: json<Payment>() }), { uid: 'payments' })
    .keyBy(({ account }) => account)
    .process({
      state: { total: valueState('total', { default: 0 }), since: valueState('since', Types.number) },
      *processElement(payment, ctx) {
        const total = ctx.state.total.value() + payment.amount;
        ctx.state.total.update(total);
        if (total > 10_000) ctx.output(suspicious, { account: ctx.key, amount: total });
        ctx.timerService.registerEventTimeTimer((ctx.timestamp ?? 0) + 60_000);
        yield payment;
      },
      onTimer(_time, ctx) {
        ctx.state.total.clear();
      },
    })
    .uid('accounts');
  accounts.getSideOutput(suspicious).sinkTo(kafka.sink({ topic: 'suspicious', value: json(), key: ({ account }) => account }));
  accounts
    .keyBy(({ country }) => country)
    .sum('amount')
    .uid('countries')
    .sinkTo(kafka.sink({ topic: 'countries', value: json(), key: ({ country }) => country }))
    .name('countries');
});
