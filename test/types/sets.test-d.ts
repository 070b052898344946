// Types of sets, which infer as those of streams do.
import { expectTypeOf } from 'expect-type';
import { type DataSet, type DataStream, type Environment, json, kafka } from 'millrace';
import { z } from 'zod';

interface Order {
  id: string;
  amount: number;
}

declare const env: Environment;
declare const orders: DataStream<Order>;

const set = orders.toDataSet();
const customers = env.dataSet(kafka.source({ topic: 'customers', value: json(z.object({ name: z.string() })), bounded: 'latest' }), {
  uid: 'c',
});
expectTypeOf(set).toEqualTypeOf<DataSet<Order>>();
expectTypeOf(set.toStream()).toEqualTypeOf<DataStream<Order>>();
expectTypeOf(set.count()).toEqualTypeOf<DataSet<number>>();
expectTypeOf(set.map(({ id }) => id).distinct()).toEqualTypeOf<DataSet<string>>();
expectTypeOf(set.groupBy(({ id, amount }) => [id, amount]).count()).toEqualTypeOf<
  DataSet<{ readonly key: readonly [string, number]; readonly count: number }>
>();
expectTypeOf(set.groupBy(({ id }) => id).sum('amount')).toEqualTypeOf<DataSet<Order>>();
expectTypeOf(set.groupBy(({ id }) => id).reduceGroup((all, key) => [{ key, n: all.length }])).toEqualTypeOf<
  DataSet<{ key: string; n: number }>
>();
const joined = set
  .join(customers)
  .where(({ id }) => id)
  .equalTo(({ name }) => name);
expectTypeOf(joined.with((order, { name }) => ({ name, at: order.amount }))).toEqualTypeOf<DataSet<{ name: string; at: number }>>();
expectTypeOf(joined.map(([left, right]) => [left.amount, right.name] as const)).toEqualTypeOf<DataSet<readonly [number, string]>>();
expectTypeOf(
  set
    .coGroup(customers)
    .where(({ id }) => id)
    .equalTo(({ name }) => name)
    .with((left, right) => [left.length + right.length]),
).toEqualTypeOf<DataSet<number>>();
