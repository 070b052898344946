import { describe, expect, test } from '@jest/globals';
import { json, kafka, pipeline, string, valueState } from '../../../../functions/index.ts';
import { type Fault, type PipelineTestOptions, runPipeline } from '../../../../local/testing.ts';

interface Order {
  readonly customer: string;
  readonly amount: number;
}

const totals = pipeline('totals', { parallelism: 2 }, (env) => {
  env
    .fromSource(kafka.source({ topic: 'orders', value: json<Order>() }), { uid: 'orders' })
    .filter((order) => order.amount > 0)
    .keyBy((order) => order.customer)
    .process({
      state: { total: valueState('total', { default: 0 }) },
      processElement(order, ctx) {
        const total = ctx.state.total.value() + order.amount;
        ctx.state.total.update(total);
        return [{ customer: ctx.key, total }];
      },
    })
    .uid('total')
    .sinkTo(kafka.sink({ topic: 'totals', value: json(), key: ({ customer }) => customer }));
});

const orders: Order[] = Array.from({ length: 40 }, (_, i) => ({ customer: `c${i % 5}`, amount: i % 7 }));
const expected = orders.reduce<Record<string, number>>(
  (sums, { customer, amount }) => ({ ...sums, [customer]: (sums[customer] ?? 0) + amount }),
  {},
);

async function finalTotals(faults: readonly Fault[] = []): Promise<Record<string, number>> {
  const { sinks } = await runPipeline(totals, { input: { orders }, faults, batchSize: 7 });
  const last: Record<string, number> = {};
  for (const { value } of sinks['totals'] ?? []) {
    const { customer, total } = value as { customer: string; total: number };
    last[customer] = Math.max(last[customer] ?? 0, total);
  }
  return last;
}

test('runs all stages and keeps keyed state', async () => {
  expect(await finalTotals()).toEqual(expected);
});

test.each<Fault>([
  { fail: 'append', nth: 2 },
  { lose: 'append', nth: 3 },
  { fail: 'read', nth: 2 },
  { fail: 'write', nth: 2 },
  { lose: 'write', nth: 3 },
  { crash: 'before-publish', nth: 2 },
  { crash: 'after-publish', nth: 1 },
  { crash: 'after-commit', nth: 1 },
  { batch: 'duplicate', nth: 1 },
  { batch: 'recut', nth: 2 },
])('results survive %j', async (fault) => {
  expect(await finalTotals([fault])).toEqual(expected);
});

test('says so when a fault has no chance to fire', async () => {
  await expect(finalTotals([{ fail: 'append', nth: 10_000 }])).rejects.toMatchObject({
    code: 'MILLRACE_OPTION_INVALID',
    message: expect.stringMatching(/did not fire/) as unknown,
  });
});

test.each<[unknown, string]>([
  [{ crash: 'at-lunch', nth: 1 }, 'fault {"crash":"at-lunch","nth":1} is unknown; give one of fail: \'read\' or'],
  [{ lose: 'read', nth: 1 }, 'fault {"lose":"read","nth":1} is unknown'],
  [{ fail: 'read', crash: 'after-commit', nth: 1 }, 'is unknown'],
  [{ nth: 1 }, 'is unknown'],
  [null, 'fault null is unknown'],
  [{ crash: 'after-commit', nth: 0 }, 'nth of fault {"crash":"after-commit","nth":0} is 0; give a whole number from 1'],
  [{ crash: 'after-commit', nth: 1.5 }, 'is 1.5; give a whole number from 1'],
  [{ crash: 'after-commit' }, 'is missing; give a whole number from 1'],
])('refuses the fault %j', async (fault, message) => {
  await expect(finalTotals([fault as Fault])).rejects.toMatchObject({
    code: 'MILLRACE_OPTION_INVALID',
    message: expect.stringContaining(message) as unknown,
  });
});

test('gives up on a stage that fails again and again', async () => {
  const faults = Array.from({ length: 40 }, (_, i): Fault => ({ crash: 'before-publish', nth: i + 1 }));

  await expect(finalTotals(faults)).rejects.toMatchObject({
    code: 'MILLRACE_RECORD_FAILED',
    message: expect.stringMatching(/failed 10 times in a row/) as unknown,
  });
});

describe('takes its input', () => {
  const doubled = pipeline('doubled', (env) => {
    const factor = Number(env.param('factor', { default: '2' }));
    env
      .fromCollection([1, 2, 3], { uid: 'numbers' })
      .map((n) => n * factor)
      .sinkTo(kafka.sink({ topic: 'doubled', value: json() }));
  });
  const valuesOf = async (options: PipelineTestOptions): Promise<unknown[]> =>
    ((await runPipeline(doubled, options)).sinks['doubled'] ?? []).map(({ value }) => value).sort();

  test('from sources in the file as they are', async () => {
    expect(await valuesOf({})).toEqual([2, 4, 6]);
  });

  test('from the test where it names a source, and parameters too', async () => {
    expect(await valuesOf({ input: { numbers: [5] }, params: { factor: '10' } })).toEqual([50]);
  });

  test('and says what it cannot use', async () => {
    await expect(valuesOf({ input: { number: [5] } })).rejects.toMatchObject({
      code: 'MILLRACE_OPTION_INVALID',
      message: "input for 'number', which the pipeline does not read; it reads: numbers",
    });
  });

  test('as bytes, which may be no record at all', async () => {
    const run = await runPipeline(totals, { input: { orders: [Buffer.from('{"customer":'), { customer: 'a', amount: 1 }] } });

    expect(run.deadLetters).toEqual([expect.objectContaining({ code: 'MILLRACE_DECODE_FAILED', value: '{"customer":' })]);
    expect(run.sinks['totals']).toHaveLength(1);
  });
});

describe('ends the input', () => {
  const last = pipeline('last', (env) => {
    env
      .fromCollection(['a', 'b', 'a'], { uid: 'letters' })
      .keyBy((letter) => letter)
      .process({
        state: { seen: valueState('seen', { default: 0 }) },
        processElement(_, ctx) {
          ctx.state.seen.update(ctx.state.seen.value() + 1);
          ctx.timerService.registerEventTimeTimer(Number.MAX_SAFE_INTEGER);
        },
        onTimer: (_, ctx) => [`${ctx.key} ${ctx.state.seen.value()}`],
      })
      .uid('count')
      .print();
  });

  test('so that all timers fire', async () => {
    expect([...(await runPipeline(last)).printed].sort()).toEqual(['a 2', 'b 1']);
  });

  test('unless the test says otherwise', async () => {
    expect((await runPipeline(last, { end: false })).printed).toEqual([]);
  });
});

test('counts invocations, those that failed too', async () => {
  const calm = await runPipeline(totals, { input: { orders }, batchSize: 10, partitions: 1, end: false });
  const rough = await runPipeline(totals, {
    input: { orders },
    batchSize: 10,
    partitions: 1,
    end: false,
    faults: [{ fail: 'append', nth: 1 }],
  });

  expect(calm.invocations['orders']).toBe(4);
  expect(rough.invocations['orders']).toBe(5);
});

describe('topic sources', () => {
  const described = pipeline('described', { parallelism: 1 }, (env) => {
    env
      .fromSource(kafka.source({ pattern: /orders-.*/, value: json<Order>(), key: string() }), { uid: 'orders' })
      .map(({ key, value, headers, topic }) => ({
        key,
        amount: value.amount,
        topic,
        headers: headers.map(([name, bytes]) => [name, bytes.length]),
      }))
      .sinkTo(kafka.sink({ topic: 'out', value: json() }));
  });

  test('with a pattern read the topics that are given, and with a key codec give key, value and headers', async () => {
    const input = {
      'orders-eu': [{ key: 'k', value: { customer: 'c', amount: 1 }, headers: [['h', Buffer.from('xy')]] }],
      'orders-us': [{ key: null, value: { customer: 'c', amount: 2 } }],
    };

    const { sinks } = await runPipeline(described, { input });

    expect(sinks['out']?.map(({ value }) => value)).toEqual([
      { key: 'k', amount: 1, topic: 'orders-eu', headers: [['h', 2]] },
      { key: null, amount: 2, topic: 'orders-us', headers: [] },
    ]);
  });

  test('with a pattern that matches no topic that is given are refused', async () => {
    await expect(runPipeline(described, { input: { orders: [] } })).rejects.toMatchObject({ code: 'MILLRACE_TOPIC_MISSING' });
  });
});
