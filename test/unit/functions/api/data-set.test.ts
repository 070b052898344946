/** Sets of records against plain arrays, whatever the cuts of the batches are and whatever fails. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type DataSet, json, kafka, pipeline } from '../../../../functions/index.ts';
import { planPipeline } from '../../../../functions/graph/plan.ts';
import { updateLock } from '../../../../functions/graph/lock.ts';
import { type Fault, type PipelineTestOptions, runPipeline } from '../../../../local/testing.ts';

interface Order {
  readonly id: number;
  readonly customer: string;
  readonly amount: number;
}

interface Customer {
  readonly name: string;
  readonly city: string;
}

const CUSTOMERS: readonly Customer[] = [
  { name: 'c0', city: 'Bonn' },
  { name: 'c1', city: 'Kiel' },
  { name: 'c1', city: 'Ulm' },
  { name: 'nobody', city: 'Jena' },
];

/** What `build` makes of these orders. */
async function run<O>(
  orders: readonly Order[],
  build: (orders: DataSet<Order>, customers: DataSet<Customer>) => DataSet<O>,
  options: PipelineTestOptions = {},
): Promise<readonly O[]> {
  const { collected, deadLetters } = await runPipeline(
    pipeline('sets', { parallelism: 3 }, (env) => {
      const customers = env.fromCollection(CUSTOMERS, { uid: 'customers' }).toDataSet();
      customers.collect('customers');
      build(env.fromCollection(orders, { uid: 'orders' }).toDataSet(), customers).collect('results');
    }),
    options,
  );
  expect(deadLetters).toEqual([]);
  return (collected['results'] ?? []) as readonly O[];
}

/** Their texts, sorted: records come in no fixed order but that of sortPartition. */
function bag(records: readonly unknown[]): readonly string[] {
  return records.map((record) => JSON.stringify(record)).sort();
}

function groups(orders: readonly Order[]): readonly (readonly [customer: string, orders: readonly Order[]])[] {
  const names = [...new Set(orders.map(({ customer }) => customer))];
  return names.map((name) => [name, orders.filter(({ customer }) => customer === name)]);
}

const sumOf = (orders: readonly Order[]): number => orders.reduce((sum, { amount }) => sum + amount, 0);

type Case = readonly [
  name: string,
  build: (orders: DataSet<Order>, customers: DataSet<Customer>) => DataSet<unknown>,
  expected: (orders: readonly Order[]) => readonly unknown[],
];

const CASES: readonly Case[] = [
  [
    'map, filter, flatMap, union',
    (orders) =>
      orders
        .map(({ id }) => id)
        .filter((id) => id % 2 === 0)
        .union(orders.flatMap(({ id, amount }) => Array<number>(amount % 3).fill(id))),
    (orders) => [
      ...orders.map(({ id }) => id).filter((id) => id % 2 === 0),
      ...orders.flatMap(({ id, amount }) => Array<number>(amount % 3).fill(id)),
    ],
  ],
  [
    'groupBy, reduce',
    (orders) => orders.groupBy(({ customer }) => customer).reduce((held, next) => ({ ...held, id: 0, amount: held.amount + next.amount })),
    (orders) => groups(orders).map(([customer, all]) => ({ id: all.length > 1 ? 0 : all[0]?.id, customer, amount: sumOf(all) })),
  ],
  [
    'groupBy, reduceGroup',
    (orders) =>
      orders
        .groupBy(({ customer }) => customer)
        .reduceGroup((all, customer) => [{ customer, ids: all.map(({ id }) => id).sort((a, b) => a - b) }]),
    (orders) => groups(orders).map(([customer, all]) => ({ customer, ids: all.map(({ id }) => id).sort((a, b) => a - b) })),
  ],
  [
    'groupBy, sum, with another stage behind it',
    (orders) =>
      orders
        .groupBy(({ customer }) => customer)
        .sum('amount')
        .groupBy(({ amount }) => amount % 2)
        .count(),
    (orders) => {
      const odd = groups(orders).filter(([, all]) => sumOf(all) % 2 === 1).length;
      const even = groups(orders).length - odd;
      return [
        { key: 0, count: even },
        { key: 1, count: odd },
      ].filter(({ count }) => count > 0);
    },
  ],
  [
    'groupBy, min and max',
    (orders) => {
      const byCustomer = orders.groupBy(({ customer }) => customer);
      return byCustomer
        .min('amount')
        .map(({ amount }) => amount)
        .union(byCustomer.max('amount').map(({ amount }) => amount));
    },
    (orders) => [Math.min, Math.max].flatMap((most) => groups(orders).map(([, all]) => most(...all.map(({ amount }) => amount)))),
  ],
  [
    'minBy of all',
    (orders) => orders.minBy('amount').map(({ amount }) => amount),
    (orders) => (orders.length > 0 ? [Math.min(...orders.map(({ amount }) => amount))] : []),
  ],
  [
    'aggregate of all',
    (orders) =>
      orders.aggregate({
        createAccumulator: () => ({ n: 0, sum: 0 }),
        add: ({ n, sum }, { amount }) => ({ n: n + 1, sum: sum + amount }),
        getResult: ({ n, sum }) => sum / n,
      }),
    (orders) => (orders.length > 0 ? [sumOf(orders) / orders.length] : []),
  ],
  ['count', (orders) => orders.count(), (orders) => (orders.length > 0 ? [orders.length] : [])],
  [
    'distinct',
    (orders) =>
      orders
        .map(({ customer }) => customer)
        .distinct()
        .union(orders.distinct(({ amount }) => amount).map(({ amount }) => String(amount))),
    (orders) => [...new Set(orders.map(({ customer }) => customer)), ...new Set(orders.map(({ amount }) => String(amount)))],
  ],
  [
    'join',
    (orders, customers) =>
      orders
        .join(customers)
        .where(({ customer }) => customer)
        .equalTo(({ name }) => name)
        .with(({ id }, { city }) => `${id} ${city}`),
    (orders) => orders.flatMap(({ id, customer }) => CUSTOMERS.filter(({ name }) => name === customer).map(({ city }) => `${id} ${city}`)),
  ],
  [
    'join of a set with itself',
    (orders) =>
      orders
        .join(orders)
        .where(({ id }) => id)
        .equalTo(({ amount }) => amount)
        .map(([left, right]) => [left.id, right.id]),
    (orders) => orders.flatMap((left) => orders.filter(({ amount }) => amount === left.id).map((right) => [left.id, right.id])),
  ],
  [
    'coGroup',
    (orders, customers) =>
      orders
        .coGroup(customers)
        .where(({ customer }) => customer)
        .equalTo(({ name }) => name)
        .with((left, right) => [{ orders: left.length, cities: right.map(({ city }) => city).sort() }]),
    (orders) => {
      const names = new Set([...orders.map(({ customer }) => customer), ...CUSTOMERS.map(({ name }) => name)]);
      return [...names].map((one) => ({
        orders: orders.filter(({ customer }) => customer === one).length,
        cities: CUSTOMERS.filter(({ name }) => name === one)
          .map(({ city }) => city)
          .sort(),
      }));
    },
  ],
  [
    'the largest of each group',
    (orders) =>
      orders
        .sortPartition(({ amount, id }) => amount * 1000 + id, 'descending')
        .groupBy(({ customer }) => customer)
        .first(2)
        .map(({ id }) => id),
    (orders) =>
      groups(orders).flatMap(([, all]) =>
        all
          .toSorted((a, b) => b.amount * 1000 + b.id - (a.amount * 1000 + a.id))
          .slice(0, 2)
          .map(({ id }) => id),
      ),
  ],
];

const anyOrders = fc
  .array(fc.record({ customer: fc.constantFrom('c0', 'c1', 'c2', 'c3'), amount: fc.nat(12) }), { maxLength: 40 })
  .map((all) => all.map(({ customer, amount }, id) => ({ id, customer, amount })));

test.each(CASES)('%s gives what arrays give, in any cuts', async (_, build, expected) => {
  await fc.assert(
    fc.asyncProperty(anyOrders, fc.integer({ min: 1, max: 12 }), async (orders, batchSize) => {
      expect(bag(await run(orders, build, { batchSize }))).toEqual(bag(expected(orders)));
    }),
    { numRuns: 12 },
  );
});

const ORDERS: readonly Order[] = Array.from({ length: 37 }, (_, id) => ({ id, customer: `c${id % 5}`, amount: (id * 7) % 11 }));
const FAULTS: readonly Fault[] = [
  { crash: 'after-publish', nth: 5 },
  { crash: 'after-commit', nth: 1 },
  { lose: 'write', nth: 2 },
  { batch: 'recut', nth: 3 },
  { batch: 'duplicate', nth: 3 },
];

describe.each(FAULTS)('through %j', (fault) => {
  // The first has no state, and writes none.
  const isOfState = 'lose' in fault || ('crash' in fault && fault.crash === 'after-commit');
  const cases = isOfState ? CASES.slice(1) : CASES;

  test.each(cases)('%s gives what arrays give', async (_, build, expected) => {
    expect(bag(await run(ORDERS, build, { batchSize: 5, faults: [fault] }))).toEqual(bag(expected(ORDERS)));
  });
});

describe('order', () => {
  test('sortPartition and first keep it', async () => {
    const byAmount = (a: Order, b: Order): number => a.amount - b.amount || a.id - b.id;
    const ascending = await run(ORDERS, (orders) => orders.sortPartition(({ amount, id }) => amount * 1000 + id));
    const top = await run(ORDERS, (orders) => orders.sortPartition(({ amount, id }) => amount * 1000 + id, 'descending').first(5));

    expect(ascending).toEqual([...ORDERS].sort(byAmount));
    expect(top).toEqual([...ORDERS].sort(byAmount).reverse().slice(0, 5));
  });

  test('sorts text and dates, too', async () => {
    const texts = await run(ORDERS, (orders) => orders.sortPartition(({ id, customer }) => `${customer} ${String(id).padStart(2, '0')}`));
    const dates = await run(ORDERS, (orders) => orders.sortPartition(({ id }) => new Date(1000 - id)).map(({ id }) => id));

    expect(texts.map(({ id }) => id)).toEqual(
      [0, 1, 2, 3, 4].flatMap((rest) => ORDERS.map(({ id }) => id).filter((id) => id % 5 === rest)),
    );
    expect(dates).toEqual(ORDERS.map(({ id }) => id).reverse());
  });
});

describe('streams and sets', () => {
  test('turn into each other', async () => {
    const { collected } = await runPipeline(
      pipeline('turns', (env) => {
        env
          .fromElements(3, 1, 2)
          .toDataSet()
          .groupBy((n) => n % 2)
          .reduce((a, b) => a + b)
          .toStream()
          .map((n) => n * 10)
          .collect('sums');
      }),
    );

    expect(bag(collected['sums'] ?? [])).toEqual(['20', '40']);
  });

  test('a topic with an end is a set; one without is refused while planning', async () => {
    const source = { topic: 'numbers', value: json<number>() };
    const { collected } = await runPipeline(
      pipeline('bounded', (env) => {
        env
          .dataSet(kafka.source({ ...source, bounded: 'latest' }), { uid: 'numbers' })
          .count()
          .collect('count');
      }),
      { input: { numbers: [1, 2, 3] } },
    );
    const direct = pipeline('endless', (env) => void env.dataSet(kafka.source(source), { uid: 'numbers' }));
    const mixed = pipeline('mixed', (env) => {
      const endless = env.fromSource(kafka.source(source), { uid: 'numbers' }).map((n) => n);
      env.fromElements(1).union(endless).toDataSet().print();
    });

    expect(collected['count']).toEqual([3]);
    for (const one of [direct, mixed])
      expect(() => one.build()).toThrow(
        expect.objectContaining({ code: 'MILLRACE_INPUT_UNBOUNDED', message: expect.stringContaining("source 'numbers' has no end") }),
      );
  });
});

describe('uids', () => {
  const planOf = (label?: string) =>
    planPipeline(
      pipeline('labeled', (env) => {
        const counts = env
          .fromElements('a')
          .toDataSet()
          .groupBy((value) => value)
          .count();
        (label === undefined ? counts : counts.uid(label)).print();
      }).build(),
    );

  test('may be left out, and then the lock file does not guard them', () => {
    const { pipelines } = updateLock(undefined, planOf());

    expect(pipelines['labeled']?.operators).toEqual({});
  });

  test('that are given are guarded', () => {
    expect(Object.keys(updateLock(undefined, planOf('counts')).pipelines['labeled']?.operators ?? {})).toEqual(['counts']);
  });
});

test.each([
  ['first(0)', (set: DataSet<number>) => set.first(0)],
  ['a sort without a key', (set: DataSet<number>) => set.sortPartition(undefined as never)],
  ['another order', (set: DataSet<number>) => set.sortPartition((n) => n, 'up' as never)],
  [
    'a join without a key',
    (set: DataSet<number>) =>
      set
        .join(set)
        .where(undefined as never)
        .equalTo((n) => n),
  ],
  [
    'a co-group without a key',
    (set: DataSet<number>) =>
      set
        .coGroup(set)
        .where((n) => n)
        .equalTo(undefined as never)
        .with(() => []),
  ],
])('%s is refused', (_, build) => {
  expect(() => pipeline('wrong', (env) => void build(env.fromElements(1).toDataSet()).print()).build()).toThrow(
    expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID' }),
  );
});
