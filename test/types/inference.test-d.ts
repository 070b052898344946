// Types infer from source to sink: none of these pipelines names a generic of ours.
import { type } from 'arktype';
import { expectTypeOf } from 'expect-type';
import {
  aggregatingState,
  type ConnectedStreams,
  CountTrigger,
  type DataStream,
  type Environment,
  EventTimeSessionWindows,
  file,
  type GlobalWindow,
  GlobalWindows,
  json,
  kafka,
  type KafkaRecord,
  type KeyedConnectedStreams,
  type KeyedStream,
  listState,
  mapState,
  outputTag,
  type ReadOnlyMapState,
  reducingState,
  SlidingEventTimeWindows,
  string,
  type TaggedUnion,
  type TimeWindow,
  Types,
  valueState,
  WatermarkStrategy,
} from 'millrace';
import * as v from 'valibot';
import { z } from 'zod';

const Order = z.object({ id: z.string(), customer: z.string(), amount: z.number(), note: z.string().optional() });
interface Order {
  id: string;
  customer: string;
  amount: number;
  note?: string | undefined;
}

declare const env: Environment;
const orders = env.fromSource(kafka.source({ topic: 'orders', value: json(Order) }), { uid: 'orders' });

// Sources give the output type of their schema.
expectTypeOf(orders).toEqualTypeOf<DataStream<Order>>();
const keyed = env.fromSource(kafka.source({ pattern: /orders-.*/, value: json(Order), key: string() }), { uid: 'keyed' });
expectTypeOf(keyed).toEqualTypeOf<DataStream<KafkaRecord<string, Order>>>();
keyed.map(({ key, headers, timestamp }) => {
  expectTypeOf(key).toEqualTypeOf<string | null>();
  expectTypeOf(headers).toEqualTypeOf<readonly (readonly [name: string, value: Uint8Array])[]>();
  return timestamp;
});
const parsed = kafka.source({ topic: 'numbers', value: json(z.string().transform(Number)) });
expectTypeOf(env.fromSource(parsed, { uid: 'numbers' })).toEqualTypeOf<DataStream<number>>();
const fromValibot = file.source({ path: 'a.json', format: 'lines', value: json(v.object({ a: v.number() })) });
expectTypeOf(env.fromSource(fromValibot, { uid: 'a' })).toEqualTypeOf<DataStream<{ a: number }>>();
const csv = file.source({ path: 'a.csv', format: 'csv', schema: z.object({ n: z.coerce.number() }) });
expectTypeOf(env.fromSource(csv, { uid: 'csv' })).toEqualTypeOf<DataStream<{ n: number }>>();
const text = env.fromSource(file.source({ path: 'a.csv', format: 'csv' }), { uid: 'csv' });
expectTypeOf(text).toEqualTypeOf<DataStream<Readonly<Record<string, string>>>>();
env.fromElements({ a: 1, b: 'x' }).sinkTo(file.sink({ path: 'out', format: 'csv', columns: ['b', 'a'] }));
const fromArktype = kafka.source({ topics: ['a', 'b'], value: json(type({ b: 'string' })) });
expectTypeOf(env.fromSource(fromArktype, { uid: 'b' })).toEqualTypeOf<DataStream<{ b: string }>>();
expectTypeOf(env.fromSource(kafka.source({ topic: 'text', value: string() }), { uid: 'text' })).toEqualTypeOf<DataStream<string>>();
expectTypeOf(env.fromElements(1, 2, 3)).toEqualTypeOf<DataStream<number>>();
expectTypeOf(env.fromElements('a', 'b')).toEqualTypeOf<DataStream<string>>();
expectTypeOf(env.fromCollection([{ a: 1 }])).toEqualTypeOf<DataStream<{ a: number }>>();
expectTypeOf(env.param('topic')).toEqualTypeOf<string>();

// A stream of something narrower may stand for one of something wider.
expectTypeOf(orders).toExtend<DataStream<unknown>>();
expectTypeOf(orders).toExtend<DataStream<{ id: string }>>();
expectTypeOf(orders).not.toExtend<DataStream<{ id: number }>>();
expectTypeOf(orders.keyBy(({ id }) => id)).toExtend<KeyedStream<{ id: string }, string>>();

// Operators without a key.
expectTypeOf(orders.map(({ amount }) => amount)).toEqualTypeOf<DataStream<number>>();
expectTypeOf(orders.map(({ note }) => note).filter((note) => note !== undefined)).toEqualTypeOf<DataStream<string>>();
expectTypeOf(orders.filter(({ amount }) => amount > 0)).toEqualTypeOf<DataStream<Order>>();
expectTypeOf(orders.flatMap(({ id }) => [id.length])).toEqualTypeOf<DataStream<number>>();
expectTypeOf(orders.union(orders, orders)).toEqualTypeOf<DataStream<Order>>();
expectTypeOf(orders.hop('kafka').uid('a').name('b').setParallelism(2)).toEqualTypeOf<DataStream<Order>>();

// Watermarks: the assigner's parameter is the stream's type.
orders.assignTimestampsAndWatermarks(WatermarkStrategy.forMonotonousTimestamps());
orders.assignTimestampsAndWatermarks(
  WatermarkStrategy.forBoundedOutOfOrderness('5 seconds').withTimestampAssigner((order, recordTimestamp) => {
    expectTypeOf(order).toEqualTypeOf<Order>();
    expectTypeOf(recordTimestamp).toEqualTypeOf<number | undefined>();
    return order.amount;
  }),
);

orders.assignTimestampsAndWatermarks(
  WatermarkStrategy.custom((order: Order, timestamp) => {
    expectTypeOf(timestamp).toEqualTypeOf<number>();
    return order.note === undefined ? undefined : timestamp;
  }),
);

// Keys, also tuples.
const byCustomer = orders.keyBy(({ customer }) => customer);
expectTypeOf(byCustomer).toEqualTypeOf<KeyedStream<Order, string>>();
expectTypeOf(orders.keyBy(({ customer, amount }) => [customer, amount])).toEqualTypeOf<KeyedStream<Order, readonly [string, number]>>();
expectTypeOf(byCustomer.count()).toEqualTypeOf<DataStream<{ readonly key: string; readonly count: number }>>();
expectTypeOf(byCustomer.sum('amount').uid('sum')).toEqualTypeOf<DataStream<Order>>();
expectTypeOf(byCustomer.maxBy('id')).toEqualTypeOf<DataStream<Order>>();
expectTypeOf(byCustomer.reduce((left, right) => ({ ...left, amount: left.amount + right.amount }))).toEqualTypeOf<DataStream<Order>>();
expectTypeOf(byCustomer.map(({ id }) => id)).toEqualTypeOf<DataStream<string>>();

// Process functions: outputs are what is yielded or returned, states are what their descriptors say.
const late = outputTag('late', Types.object({ id: Types.string, by: Types.optional(Types.number) }));
const totals = byCustomer.process({
  state: {
    total: valueState('total', { default: 0 }),
    last: valueState('last', Order),
    first: valueState('first', Types.date),
    seen: valueState('seen', { type: Types.list(Types.string), default: [] }),
    ids: listState('ids', Types.string),
    perDay: mapState('per-day', Types.number, Types.object({ count: Types.number })),
    most: reducingState('most', { reduce: (held: number, added: number) => Math.max(held, added) }),
    mean: aggregatingState('mean', {
      createAccumulator: () => ({ sum: 0, count: 0 }),
      add: ({ sum, count }, amount: number) => ({ sum: sum + amount, count: count + 1 }),
      getResult: ({ sum, count }) => String(sum / count),
    }),
  },
  *processElement(order, ctx) {
    expectTypeOf(order).toEqualTypeOf<Order>();
    expectTypeOf(ctx.key).toEqualTypeOf<string>();
    expectTypeOf(ctx.timestamp).toEqualTypeOf<number | undefined>();
    expectTypeOf(ctx.state.total.value()).toEqualTypeOf<number>();
    expectTypeOf(ctx.state.last.value()).toEqualTypeOf<Order | undefined>();
    expectTypeOf(ctx.state.first.value()).toEqualTypeOf<Date | undefined>();
    expectTypeOf(ctx.state.seen.value()).toEqualTypeOf<readonly string[]>();
    expectTypeOf(ctx.state.ids.get()).toEqualTypeOf<readonly string[]>();
    expectTypeOf(ctx.state.perDay.get(1)).toEqualTypeOf<{ readonly count: number } | undefined>();
    expectTypeOf(ctx.state.perDay.entries()).toEqualTypeOf<readonly (readonly [number, { readonly count: number }])[]>();
    expectTypeOf(ctx.state.most.get()).toEqualTypeOf<number | undefined>();
    expectTypeOf(ctx.state.mean.get()).toEqualTypeOf<string | undefined>();
    expectTypeOf(ctx.state.mean.add).parameters.toEqualTypeOf<[number]>();
    ctx.output(late, { id: order.id, by: undefined });
    ctx.timerService.registerEventTimeTimer(1);
    yield { customer: ctx.key, total: ctx.state.total.value() };
  },
  onTimer(time, ctx) {
    expectTypeOf(time).toEqualTypeOf<number>();
    expectTypeOf(ctx.timeDomain).toEqualTypeOf<'event' | 'processing'>();
    expectTypeOf(ctx.state.total.value()).toEqualTypeOf<number>();
    return [{ customer: ctx.key, total: 0 }];
  },
});
expectTypeOf(totals).toEqualTypeOf<DataStream<{ customer: string; total: number }>>();
expectTypeOf(totals.getSideOutput(late)).toEqualTypeOf<DataStream<{ readonly id: string; readonly by: number | undefined }>>();

// A process function may return an array, return nothing at times, or put nothing out.
const returned = orders.process({ processElement: ({ id }) => [id] });
expectTypeOf(returned).toEqualTypeOf<DataStream<string>>();
const sometimes = orders.process({
  processElement(order, ctx) {
    if (ctx.random() < 0.5) return;
    return [order.amount];
  },
});
expectTypeOf(sometimes).toEqualTypeOf<DataStream<number>>();
const never = byCustomer.process({
  processElement(_order, ctx) {
    const none: never[] = Object.keys(ctx.state) as (keyof typeof ctx.state)[];
    expectTypeOf(none).toEqualTypeOf<never[]>();
  },
});
expectTypeOf(never).toEqualTypeOf<DataStream<never>>();

// Sinks: the key function sees the stream's type, also with a codec that takes anything.
totals.sinkTo(kafka.sink({ topic: 'totals', value: json(), key: ({ customer }) => customer }));
totals.sinkTo(kafka.sink({ topic: 'totals', value: json(), partitioner: ({ total }) => total }));
totals.sinkTo(kafka.sink({ topic: 'totals', value: json(), lineage: true, delivery: 'exactly-once' }));
orders.sinkTo(kafka.sink({ topic: 'orders', value: json(Order), key: ({ customer }) => customer }));
orders.print('order').name('print');

// Two streams: both functions know their record, and share key and state.
interface Payment {
  order: string;
  amount: number;
}
declare const payments: DataStream<Payment>;
expectTypeOf(orders.connect(payments)).toEqualTypeOf<ConnectedStreams<Order, Payment>>();
expectTypeOf(orders.connect(payments).map({ map1: ({ amount }) => amount, map2: ({ amount }) => -amount })).toEqualTypeOf<
  DataStream<number>
>();
expectTypeOf(orders.connect(payments).flatMap({ flatMap1: ({ id }) => [id], flatMap2: () => [] })).toEqualTypeOf<DataStream<string>>();
expectTypeOf(
  orders.connect(payments).process({ processElement1: ({ id }) => [id], processElement2: ({ order }) => [order] }),
).toEqualTypeOf<DataStream<string>>();
const byOrder = orders.connect(payments).keyBy(
  ({ id }) => id,
  ({ order }) => order,
);
expectTypeOf(byOrder).toEqualTypeOf<KeyedConnectedStreams<Order, Payment, string>>();
expectTypeOf(orders.keyBy(({ id }) => id).connect(payments.keyBy(({ order }) => order))).toEqualTypeOf<
  KeyedConnectedStreams<Order, Payment, string>
>();
expectTypeOf(
  byOrder.process({
    state: { order: valueState('order', Order), paid: valueState('paid', { default: 0 }) },
    processElement1(order, ctx) {
      expectTypeOf(order).toEqualTypeOf<Order>();
      expectTypeOf(ctx.key).toEqualTypeOf<string>();
      ctx.state.order.update(order);
    },
    *processElement2(payment, ctx) {
      expectTypeOf(payment).toEqualTypeOf<Payment>();
      expectTypeOf(ctx.state.order.value()).toEqualTypeOf<Order | undefined>();
      yield { id: ctx.key, paid: ctx.state.paid.value() };
    },
    onTimer(time, ctx) {
      expectTypeOf(ctx.timeDomain).toEqualTypeOf<'event' | 'processing'>();
      return [{ id: ctx.key, paid: time }];
    },
  }),
).toEqualTypeOf<DataStream<{ id: string; paid: number }>>();

// Broadcast state: its records are written where they come, and read where the others do.
const limits = mapState('limits', Types.string, Types.number);
expectTypeOf(
  byCustomer.connect(payments.broadcast(limits)).process({
    state: { spent: valueState('spent', { default: 0 }) },
    *processElement(order, ctx) {
      expectTypeOf(order).toEqualTypeOf<Order>();
      expectTypeOf(ctx.key).toEqualTypeOf<string>();
      expectTypeOf(ctx.getBroadcastState(limits)).toEqualTypeOf<ReadOnlyMapState<string, number>>();
      yield { spent: ctx.state.spent.value(), limit: ctx.getBroadcastState(limits).get(order.id) };
    },
    processBroadcastElement(payment, ctx) {
      expectTypeOf(payment).toEqualTypeOf<Payment>();
      ctx.getBroadcastState(limits).put(payment.order, payment.amount);
    },
  }),
).toEqualTypeOf<DataStream<{ spent: number; limit: number | undefined }>>();
expectTypeOf(
  orders.connect(payments.broadcast(limits)).process({ processElement: ({ id }) => [id], processBroadcastElement: ({ order }) => [order] }),
).toEqualTypeOf<DataStream<string>>();

// Joins know both records, key and window.
expectTypeOf(
  orders
    .join(payments)
    .where(({ id }) => id)
    .equalTo(({ order }) => order)
    .window('1 hour')
    .apply((order, payment, { key, window }) => {
      expectTypeOf(order).toEqualTypeOf<Order>();
      expectTypeOf(payment).toEqualTypeOf<Payment>();
      return { key, start: window.start, paid: payment.amount };
    })
    .uid('join'),
).toEqualTypeOf<DataStream<{ key: string; start: number; paid: number }>>();
expectTypeOf(
  byCustomer
    .coGroup(payments)
    .where(({ id, amount }) => [id, amount])
    .equalTo(({ order, amount }) => [order, amount])
    .window(EventTimeSessionWindows.withDynamicGap((element: TaggedUnion<Order, Payment>) => ('one' in element ? element.one.amount : 1)))
    .sideOutputLateData(outputTag('late-union', Types.json<TaggedUnion<Order, Payment>>()))
    .apply(function* (first, second, { key }) {
      expectTypeOf(first).toEqualTypeOf<readonly Order[]>();
      expectTypeOf(second).toEqualTypeOf<readonly Payment[]>();
      expectTypeOf(key).toEqualTypeOf<readonly [string, number]>();
      yield first.length - second.length;
    }),
).toEqualTypeOf<DataStream<number>>();
expectTypeOf(
  orders
    .keyBy(({ id }) => id)
    .intervalJoin(payments.keyBy(({ order }) => order))
    .between('-1 minute', 500)
    .upperBoundExclusive()
    .sideOutputLeftLateData(outputTag('late-order', Types.object({ id: Types.string })))
    .sideOutputRightLateData(outputTag('late-payment', Types.object({ order: Types.string })))
    .process({
      *processElement(order, payment, ctx) {
        expectTypeOf(order).toEqualTypeOf<Order>();
        expectTypeOf(payment).toEqualTypeOf<Payment>();
        expectTypeOf(ctx.key).toEqualTypeOf<string>();
        yield ctx.rightTimestamp - ctx.leftTimestamp;
      },
    }),
).toEqualTypeOf<DataStream<number>>();

const atTime = byCustomer.temporalJoin(payments.keyBy(({ order }) => order));
expectTypeOf(
  atTime.sideOutputLateData(outputTag('late-lookup', Types.object({ id: Types.string }))).apply((order, payment, ctx) => {
    expectTypeOf(order).toEqualTypeOf<Order>();
    expectTypeOf(payment).toEqualTypeOf<Payment>();
    expectTypeOf(ctx.versionTimestamp).toEqualTypeOf<number | undefined>();
    return ctx.key;
  }),
).toEqualTypeOf<DataStream<string>>();
expectTypeOf(
  byCustomer
    .temporalJoin(
      payments.keyBy(({ order }) => order),
      { type: 'left' },
    )
    .apply((_order, payment) => payment),
).toEqualTypeOf<DataStream<Payment | undefined>>();

// Windows: keys, windows, records and states are known wherever they come up.
const perHour = byCustomer.window('1 hour');
expectTypeOf(perHour.count()).toEqualTypeOf<DataStream<{ readonly key: string; readonly window: TimeWindow; readonly count: number }>>();
expectTypeOf(byCustomer.countWindow(3).count()).toEqualTypeOf<
  DataStream<{ readonly key: string; readonly window: GlobalWindow; readonly count: number }>
>();
expectTypeOf(orders.windowAll('1 hour').count()).toEqualTypeOf<DataStream<{ readonly window: TimeWindow; readonly count: number }>>();
expectTypeOf(perHour.sum('amount').uid('s')).toEqualTypeOf<DataStream<Order>>();
expectTypeOf(perHour.reduce((held, next) => (held.amount > next.amount ? held : next))).toEqualTypeOf<DataStream<Order>>();
expectTypeOf(
  perHour.reduce(
    (held) => held,
    (key, window, [order]) => {
      expectTypeOf(key).toEqualTypeOf<string>();
      expectTypeOf(window).toEqualTypeOf<TimeWindow>();
      expectTypeOf(order).toEqualTypeOf<Order | undefined>();
      return [window.start];
    },
  ),
).toEqualTypeOf<DataStream<number>>();
const mean = {
  createAccumulator: () => ({ sum: 0, n: 0 }),
  add: ({ sum, n }: { sum: number; n: number }, { amount }: Order) => ({ sum: sum + amount, n: n + 1 }),
  getResult: ({ sum, n }: { sum: number; n: number }) => sum / n,
};
expectTypeOf(perHour.aggregate(mean)).toEqualTypeOf<DataStream<number>>();
expectTypeOf(
  perHour.aggregate(
    { createAccumulator: () => new Set<string>(), add: (ids, order) => ids.add(order.id), getResult: (ids) => ids.size },
    { process: (key, [ids], ctx) => [{ key, ids, end: ctx.window.end }] },
  ),
).toEqualTypeOf<DataStream<{ key: string; ids: number | undefined; end: number }>>();
expectTypeOf(
  byCustomer.window(SlidingEventTimeWindows.of('1 hour', '1 minute', '-10 seconds')).process({
    globalState: { seen: valueState('seen', { default: 0 }) },
    windowState: { ids: listState('ids', Types.string) },
    *process(key, elements, ctx) {
      expectTypeOf(elements).toEqualTypeOf<readonly Order[]>();
      expectTypeOf(ctx.globalState.seen.value()).toEqualTypeOf<number>();
      expectTypeOf(ctx.windowState.ids.get()).toEqualTypeOf<readonly string[]>();
      yield { key, window: ctx.window };
    },
  }),
).toEqualTypeOf<DataStream<{ key: string; window: TimeWindow }>>();
expectTypeOf(
  byCustomer
    .window(EventTimeSessionWindows.withDynamicGap(({ amount }: { readonly amount: number }) => amount))
    .apply((key, { start }, elements) => elements.map(({ id }) => ({ key, start, id }))),
).toEqualTypeOf<DataStream<{ key: string; start: number; id: string }>>();
expectTypeOf(orders.countWindowAll(2).apply((window, elements) => [[window.global, elements.length] as const])).toEqualTypeOf<
  DataStream<readonly [true, number]>
>();

// Triggers and evictors know record, window and state.
byCustomer
  .window(GlobalWindows.create())
  .trigger(CountTrigger.of(3))
  .trigger({
    state: { sum: reducingState('sum', { reduce: (held: number, added: number) => held + added }) },
    onElement(order, timestamp, window, ctx) {
      expectTypeOf(order).toEqualTypeOf<Order>();
      expectTypeOf(timestamp).toEqualTypeOf<number | undefined>();
      expectTypeOf(window).toEqualTypeOf<GlobalWindow>();
      ctx.state.sum.add(order.amount);
      return (ctx.state.sum.get() ?? 0) > 10 ? 'FIRE' : 'CONTINUE';
    },
    onEventTime: () => 'CONTINUE',
    onProcessingTime: () => 'CONTINUE',
    clear: () => undefined,
  })
  .evictor({ evictBefore: (elements) => elements.filter(({ value, timestamp }) => value.amount > (timestamp ?? 0)) })
  .sideOutputLateData(outputTag('late', Types.object({ id: Types.string })));
