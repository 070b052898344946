import { describe, expect, test } from '@jest/globals';
import { json, kafka, type Pipeline, pipeline } from '../../../../functions/index.ts';
import { planPipeline } from '../../../../functions/graph/plan.ts';
import { type Fault, runPipeline } from '../../../../local/testing.ts';

interface Order {
  readonly id: number;
  readonly customer: string;
}

const orders: Order[] = Array.from({ length: 30 }, (_, id) => ({ id, customer: `c${id % 4}` }));
const source = () => kafka.source({ topic: 'orders', value: json<Order>() });

const PIPELINES: Readonly<Record<string, Pipeline>> = {
  'a source stage': pipeline('bare', (env) => {
    env.fromSource(source(), { uid: 'orders' }).collect('all');
  }),
  'a stage with a fence': pipeline('fenced', (env) => {
    env.fromSource(source(), { uid: 'orders' }).hop('kafka').collect('all');
  }),
  'a stage that journals': pipeline('journaled', (env) => {
    env
      .fromSource(source(), { uid: 'orders' })
      .map((order) => order)
      .journal()
      .collect('all');
  }),
};

const FAULTS: readonly Fault[] = [
  { fail: 'append', nth: 2 },
  { lose: 'append', nth: 2 },
  { crash: 'after-publish', nth: 3 },
  { batch: 'duplicate', nth: 2 },
  { batch: 'recut', nth: 2 },
];

describe.each(Object.keys(PIPELINES))('collect of %s', (name) => {
  test.each(FAULTS)('gives each record once through %j', async (fault) => {
    const { collected } = await runPipeline(PIPELINES[name] as Pipeline, { input: { orders }, faults: [fault], batchSize: 7 });

    const ids = (collected['all'] as readonly Order[]).map(({ id }) => id);
    expect(ids.toSorted((a, b) => a - b)).toEqual(orders.map(({ id }) => id));
  });
});

test('values that JSON does not have come as they were', async () => {
  const values = [new Map([[1, new Date(5)]]), new Set([2n]), Buffer.from('x'), undefined];
  const { collected } = await runPipeline(
    pipeline('values', { parallelism: 1 }, (env) => {
      env.fromCollection(values).collect('values');
    }),
  );

  expect(collected['values']).toEqual([values[0], values[1], new Uint8Array([0x78]), undefined]);
});

test('a record that is too large is a dead letter', async () => {
  const { collected, deadLetters } = await runPipeline(
    pipeline('large', (env) => {
      env
        .fromElements(1, 2)
        .map((n) => 'x'.repeat(n * 600_000))
        .collect('texts');
    }),
  );

  expect(collected['texts']).toHaveLength(1);
  expect(deadLetters).toMatchObject([{ code: 'MILLRACE_VALUE_TOO_LARGE' }]);
});

test('two of one name are refused, as is what is no name', () => {
  const twice = pipeline('twice', (env) => {
    env.fromElements(1).collect('same');
    env.fromElements(2).collect('same');
  });
  const unnamed = pipeline('unnamed', (env) => void env.fromElements(1).collect('a b'));

  expect(() => planPipeline(twice.build())).toThrow(expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID' }));
  expect(() => unnamed.build()).toThrow(expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID' }));
});
