import { describe, expect, test } from '@jest/globals';
import { json, kafka, type Pipeline, pipeline } from '../../../../functions/index.ts';
import { type Fault, runPipeline } from '../../../../local/testing.ts';

interface Order {
  readonly id: number;
  readonly customer: string;
}

const source = () => kafka.source({ topic: 'orders', value: json<Order>() });
const sink = <T>() => kafka.sink<T>({ topic: 'out', value: json(), delivery: 'exactly-once' });

const PIPELINES: Readonly<Record<string, Pipeline>> = {
  'a source stage without a fence': pipeline('bare', (env) => {
    env.fromSource(source(), { uid: 'orders' }).sinkTo(sink());
  }),
  'a stage with a fence': pipeline('fenced', { parallelism: 2 }, (env) => {
    env
      .fromSource(source(), { uid: 'orders' })
      .keyBy(({ customer }) => customer)
      .count()
      .uid('counts')
      .sinkTo(sink());
  }),
  'a stage that journals': pipeline('journaled', { parallelism: 2 }, (env) => {
    env
      .fromSource(source(), { uid: 'orders' })
      .keyBy(({ customer }) => customer)
      .reduce((_, next) => next)
      .uid('last')
      .journal()
      .sinkTo(sink());
  }),
};

const orders: Order[] = Array.from({ length: 40 }, (_, id) => ({ id, customer: `c${id % 5}` }));
const FAULTS: readonly Fault[] = [
  { fail: 'append', nth: 2 },
  { lose: 'append', nth: 2 },
  { lose: 'append', nth: 3 },
  { crash: 'before-publish', nth: 3 },
  { crash: 'after-publish', nth: 3 },
  { crash: 'after-publish', nth: 5 },
  { batch: 'duplicate', nth: 2 },
  { batch: 'recut', nth: 2 },
];

describe.each(Object.keys(PIPELINES))('exactly-once sink of %s', (name) => {
  test.each(FAULTS)('writes each record once through %j', async (fault) => {
    const { sinks } = await runPipeline(PIPELINES[name] as Pipeline, { input: { orders }, faults: [fault], batchSize: 7 });

    const written = (sinks['out'] ?? []).map(({ value }) => JSON.stringify(value));
    expect(written).toHaveLength(orders.length);
    expect(new Set(written).size).toBe(orders.length);
  });
});

test('refuses another delivery', () => {
  expect(() => kafka.sink({ topic: 'out', value: json(), delivery: 'at-most-once' as never })).toThrow(
    expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID' }),
  );
});
