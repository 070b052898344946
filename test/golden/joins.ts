// A join or co-group is a stage of its own, whatever the streams were keyed by before; its windows are state.
import { json, kafka, outputTag, pipeline, SlidingEventTimeWindows, type TaggedUnion, Types } from 'millrace';

interface Person {
  readonly id: number;
}

interface Auction {
  readonly seller: number;
}

const late = outputTag('late', Types.json<TaggedUnion<Person, Auction>>());

export default pipeline('joins', (env) => {
  const persons = env.fromSource(kafka.source({ topic: 'persons', value: json<Person>() }), { uid: 'persons' });
  const auctions = env.fromSource(kafka.source({ topic: 'auctions', value: json<Auction>() }), { uid: 'auctions' });

  const sellers = persons
    .join(auctions)
    .where(({ id }) => id)
    .equalTo(({ seller }) => seller)
    .window('10 seconds')
    .sideOutputLateData(late)
    .apply(({ id }, _auction, { window }) => ({ id, since: window.start }))
    .uid('new-sellers');
  sellers.print();
  sellers.getSideOutput(late).print();
  auctions
    .keyBy(({ seller }) => seller)
    .coGroup(persons)
    .where(({ seller }) => seller)
    .equalTo(({ id }) => id)
    .window(SlidingEventTimeWindows.of('1 minute', '10 seconds'))
    .allowedLateness('1 second')
    .apply((first, second) => [first.length - second.length])
    .name('Per minute')
    .setParallelism(2)
    .print();
});
