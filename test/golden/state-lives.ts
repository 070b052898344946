// States that expire, and one of which what is stored has changed its type.
import { json, kafka, listState, pipeline, Types, valueState } from 'millrace';

export default pipeline('state-lives', (env) => {
  env
    .fromSource(kafka.source({ topic: 'visits', value: json<{ user: string; page: string }>() }), { uid: 'visits' })
    .keyBy(({ user }) => user)
    .process({
      state: {
        last: valueState('last', { type: Types.string, ttl: '30 minutes' }),
        pages: listState('pages', Types.string, { version: 2, migrate: (old) => String(old), ttl: { time: '1 day' } }),
      },
      processElement: () => [],
    })
    .uid('pages')
    .print();
});
