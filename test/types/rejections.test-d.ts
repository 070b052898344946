// What must not compile. Each line below an @ts-expect-error is a mistake that a user makes.
import {
  CountEvictor,
  DeltaEvictor,
  type Environment,
  EventTimeSessionWindows,
  file,
  GlobalWindows,
  json,
  kafka,
  listState,
  mapState,
  outputTag,
  pipeline,
  string,
  TumblingEventTimeWindows,
  Types,
  valueState,
  WatermarkStrategy,
} from 'millrace';
import { z } from 'zod';

const Order = z.object({ id: z.string(), customer: z.string(), amount: z.number() });

declare const env: Environment;
const orders = env.fromSource(kafka.source({ topic: 'orders', value: json(Order) }), { uid: 'orders' });
const byCustomer = orders.keyBy(({ customer }) => customer);

// @ts-expect-error windows and everything else that keeps state come behind keyBy
orders.window('1 minute');
// @ts-expect-error only a set of keys is distinct without one
orders.toDataSet().distinct();
// @ts-expect-error a sum is of a number
orders.toDataSet().sum('customer');
// @ts-expect-error a source ends somewhere behind its beginning
kafka.source({ topic: 'orders', value: json(Order), bounded: 'earliest' });
// @ts-expect-error a record has no such column
orders.sinkTo(file.sink({ path: 'out', format: 'csv', columns: ['price'] }));
// @ts-expect-error a file of CSV has a schema, no codec
file.source({ path: 'a.csv', format: 'csv', value: json(Order) });
// @ts-expect-error a sum needs a key
orders.sum('amount');
// @ts-expect-error a reduction needs a key
orders.reduce((left) => left);
// @ts-expect-error a process function without a key has no state
orders.process({ state: { total: valueState('total', { default: 0 }) }, processElement: () => undefined });
// @ts-expect-error … and no timers
orders.process({ processElement: () => undefined, onTimer: () => undefined });

// @ts-expect-error customer is no number
byCustomer.sum('customer');
// @ts-expect-error there is no such field
byCustomer.max('price');
// @ts-expect-error a key is a string, a number, bytes or a tuple of these
orders.keyBy((order) => order);
// @ts-expect-error a keyBy is no operator, so it has no uid
byCustomer.uid('orders');

byCustomer.process({
  state: { total: valueState('total', { default: 0 }), ids: listState('ids', Types.string) },
  processElement(order, ctx) {
    // @ts-expect-error a state that is not declared
    ctx.state.count;
    // @ts-expect-error the state of another type: a number is no string
    ctx.state.total.value().length;
    // @ts-expect-error … nor can it be updated with one
    ctx.state.total.update(order.id);
    // @ts-expect-error a list state is no value state
    ctx.state.ids.value();
    // @ts-expect-error items of the list are strings
    ctx.state.ids.add(order.amount);
    // @ts-expect-error only onTimer knows the domain of its timer
    ctx.timeDomain;
    // @ts-expect-error a side output has a type
    ctx.output(outputTag('ids', Types.string), order.amount);
    return [order];
  },
});

// @ts-expect-error the first value may be missing
byCustomer.process({ state: { last: valueState('last', Types.number) }, processElement: (_, ctx) => [ctx.state.last.value() + 1] });
// @ts-expect-error a state needs a type or a default
valueState('last');

// @ts-expect-error the sink takes strings, the stream has orders
orders.sinkTo(kafka.sink({ topic: 'orders', value: string() }));
// @ts-expect-error the sink's schema wants a field that the stream lacks
orders.sinkTo(kafka.sink({ topic: 'orders', value: json(Order.extend({ paid: z.boolean() })) }));
// @ts-expect-error a key is text or bytes
orders.sinkTo(kafka.sink({ topic: 'orders', value: json(Order), key: ({ amount }) => amount }));
// @ts-expect-error lineage is on or off
orders.sinkTo(kafka.sink({ topic: 'orders', value: json(Order), lineage: 'header' }));
// @ts-expect-error streams of different types
orders.union(env.fromElements(1));
// @ts-expect-error the assigner belongs to another type
orders.assignTimestampsAndWatermarks(WatermarkStrategy.forMonotonousTimestamps().withTimestampAssigner((text: string) => text.length));
// @ts-expect-error there are only Kafka hops
orders.hop('carrier-pigeon');
// @ts-expect-error a source needs a uid
env.fromSource(kafka.source({ topic: 'orders', value: json() }), {});
// @ts-expect-error one topic, or several
kafka.source({ topic: 'a', topics: ['b'], value: json() });
// @ts-expect-error there is no such option
pipeline('p', { paralellism: 4 }, () => undefined);

const value = json(Order);
// @ts-expect-error topics are named in one way
kafka.source({ topic: 'orders', pattern: /orders/, value });
// @ts-expect-error a source has a topic, topics or a pattern
kafka.source({ value });
// @ts-expect-error a key is decoded by a codec
kafka.source({ topic: 'orders', value, key: 'text' });
// @ts-expect-error properties are texts or numbers
kafka.source({ topic: 'orders', value, properties: { 'max.poll.records': true } });
// @ts-expect-error there is no such compression
kafka.sink({ topic: 'orders', value, compression: 'brotli' });
// @ts-expect-error acks are all, 1 or 0
kafka.sink({ topic: 'orders', value, acks: 2 });
// @ts-expect-error timestamps are the event's or the log's
kafka.sink({ topic: 'orders', value, timestamps: 'now' });

// @ts-expect-error a union is of streams of one type; connect streams of two
orders.union(env.fromElements(1));
// @ts-expect-error keys have one type
byCustomer.connect(env.fromElements(1).keyBy((n) => n));
// @ts-expect-error both streams have a key, or none
byCustomer.connect(orders);
// @ts-expect-error both streams have a key, or none
orders.connect(byCustomer);
// @ts-expect-error connected streams are no stream: first say what becomes of their records
orders.connect(orders).print();
// @ts-expect-error there is a function for each input
byCustomer.connect(byCustomer).process({ processElement1: () => [1] });
// @ts-expect-error state needs a key
orders.connect(orders).process({ state: { n: valueState('n', { default: 0 }) }, processElement1: () => [], processElement2: () => [] });

const limits = mapState('limits', Types.string, Types.number);
// @ts-expect-error what is broadcast is kept in map states
orders.broadcast(valueState('n', { default: 0 }));
// @ts-expect-error a stream that is broadcast is only for connect
orders.broadcast(limits).map((order) => order);
orders.connect(orders.broadcast(limits)).process({
  processElement(_order, ctx) {
    // @ts-expect-error only the broadcast side writes
    ctx.getBroadcastState(limits).put('a', 1);
  },
  processBroadcastElement(_order, ctx) {
    // @ts-expect-error limits are numbers
    ctx.getBroadcastState(limits).put('a', 'b');
    // @ts-expect-error without keys there is nothing to apply to
    ctx.applyToKeyedState;
  },
});

const byId = orders.join(orders).where(({ id }) => id);
// @ts-expect-error a join has two keys
orders.join(orders).window('1 minute');
// @ts-expect-error a join has two keys
byId.window('1 minute');
// @ts-expect-error keys have one type
byId.equalTo(({ amount }) => amount);
// @ts-expect-error only records of one window meet
byId.equalTo(({ id }) => id).apply(() => 1);
// @ts-expect-error the gap belongs to records of another type
byId.equalTo(({ id }) => id).window(EventTimeSessionWindows.withDynamicGap((order: { readonly id: string }) => order.id.length));
const grouped = orders
  .coGroup(orders)
  .where(({ id }) => id)
  .equalTo(({ id }) => id)
  .window('1 minute');
// @ts-expect-error a co-group puts out any number of results
grouped.apply((first) => first.length);
// @ts-expect-error interval joins are of keyed streams
orders.intervalJoin(byCustomer);
// @ts-expect-error interval joins are of keyed streams
byCustomer.intervalJoin(orders);
// @ts-expect-error temporal joins are of keyed streams
orders.temporalJoin(byCustomer);
// @ts-expect-error there is no such type of join
byCustomer.temporalJoin(byCustomer, { type: 'right' });
// @ts-expect-error in a left join there may be no version
byCustomer.temporalJoin(byCustomer, { type: 'left' }).apply((_order, version) => version.id);
// @ts-expect-error keys have one type
byCustomer.intervalJoin(orders.keyBy(({ amount }) => amount));
// @ts-expect-error an interval has bounds
byCustomer.intervalJoin(byCustomer).process({ processElement: () => [1] });
// @ts-expect-error the side output takes records of another type
byCustomer.intervalJoin(byCustomer).between(0, 1).sideOutputLeftLateData(outputTag('late', Types.string));

const perMinute = byCustomer.window('1 minute');
// @ts-expect-error a duration has a unit
byCustomer.window('1 fortnight');
// @ts-expect-error an assigner is made by of()
byCustomer.window(TumblingEventTimeWindows);
// @ts-expect-error windows are no stream: first say what becomes of their records
perMinute.print();
// @ts-expect-error customer is no number
perMinute.sum('customer');
// @ts-expect-error a reduction gives what it takes
perMinute.reduce((held) => held.amount);
// @ts-expect-error the gap belongs to records of another type
byCustomer.window(EventTimeSessionWindows.withDynamicGap((text: string) => text.length));
// @ts-expect-error a global window has no end
byCustomer.window(GlobalWindows.create()).apply((_key, window) => [window.end]);
// @ts-expect-error the side output takes records of another type
perMinute.sideOutputLateData(outputTag('late', Types.string));
// @ts-expect-error the evictor looks at records of another type
perMinute.evictor(DeltaEvictor.of(1, (from: string, to: string) => from.length - to.length));
// @ts-expect-error an evictor is made by of()
perMinute.evictor(CountEvictor);
// @ts-expect-error a trigger says CONTINUE, FIRE, PURGE or FIRE_AND_PURGE
perMinute.trigger({ onElement: () => 'fire', onEventTime: () => 'FIRE', onProcessingTime: () => 'FIRE', clear: () => undefined });
// @ts-expect-error a trigger has a function for processing time, too
perMinute.trigger({ onElement: () => 'FIRE', onEventTime: () => 'FIRE', clear: () => undefined });
perMinute.process({
  process(_key, elements, ctx) {
    // @ts-expect-error there is no such state
    ctx.globalState.seen;
    // @ts-expect-error records have no such field
    elements[0]?.price;
    // @ts-expect-error timers are a trigger's business
    ctx.timerService;
  },
});
// @ts-expect-error accumulators have one type
perMinute.aggregate({ createAccumulator: () => 0, add: (sum, order) => `${sum}${order.amount}`, getResult: (sum) => sum });
