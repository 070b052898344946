/** The pipeline that chaos happens to: three stages, two of them with state, and an exactly-once sink. */
import { json, kafka, pipeline, valueState } from 'millrace';
import type { AccountState, RegionState, Result, Transfer } from './transfers.ts';
import { nextAccount, nextRegion, NO_ACCOUNT, NO_REGION } from './transfers.ts';

export default pipeline('chaos', { parallelism: 4 }, (env) => {
  // Of the fault layer.
  env.param('seed');
  env.param('faults');

  env
    .fromSource(kafka.source({ topic: env.param('input'), value: json<Transfer>() }), { uid: 'transfers' })
    .keyBy(({ account }) => account)
    .process({
      state: { account: valueState<AccountState>('account', { default: NO_ACCOUNT }) },
      processElement(transfer, ctx) {
        const account = nextAccount(ctx.state.account.value(), transfer);
        ctx.state.account.update(account);
        return [{ ...transfer, ...account }];
      },
    })
    .uid('accounts')
    .keyBy(({ region }) => region)
    .process({
      state: { region: valueState<RegionState>('region', { default: NO_REGION }) },
      processElement(change, ctx): Result[] {
        const region = nextRegion(ctx.state.region.value(), change);
        ctx.state.region.update(region);
        return [{ ...change, ...region }];
      },
    })
    .uid('regions')
    .sinkTo(kafka.sink({ topic: env.param('output'), value: json<Result>(), key: ({ region }) => region, delivery: 'exactly-once' }));
});
