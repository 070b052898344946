import { describe, expect, test } from '@jest/globals';
import { json, kafka, pipeline, valueState, WatermarkStrategy } from '../../../../functions/index.ts';
import { kafkaEvent, ManualClock, runStage } from '../../../../local/testing.ts';

interface Order {
  readonly customer: string;
  readonly amount: number;
  readonly at: number;
}

/** Totals per customer when a minute of event time is over; the first order of a customer also sets a timer of processing time. */
const totals = pipeline('totals', { parallelism: 2 }, (env) => {
  env
    .fromSource(kafka.source({ topic: 'orders', value: json<Order>() }), { uid: 'orders' })
    .assignTimestampsAndWatermarks(WatermarkStrategy.forBoundedOutOfOrderness('1 second').withTimestampAssigner((order: Order) => order.at))
    .filter((order) => order.amount > 0)
    .keyBy((order) => order.customer)
    .process({
      state: { total: valueState('total', { default: 0 }) },
      processElement({ amount }, ctx) {
        if (ctx.state.total.value() === 0) ctx.timerService.registerEventTimeTimer(60_000);
        ctx.state.total.update(ctx.state.total.value() + amount);
      },
      *onTimer(time, ctx) {
        yield { customer: ctx.key, total: ctx.state.total.value(), at: time };
      },
    })
    .uid('total')
    .sinkTo(kafka.sink({ topic: 'totals', value: json(), key: ({ customer }) => customer }));
});

const order = (customer: string, amount: number, at = 1000): Order => ({ customer, amount, at });

describe('a stage that reads a topic', () => {
  test('sends what passes the filter on, with key and event time', async () => {
    const run = await runStage(
      totals,
      'orders',
      kafkaEvent({ topic: 'orders', records: [{ value: order('a', 5, 2000) }, { value: order('b', 0) }] }),
    );

    expect(run.response).toEqual({ batchItemFailures: [] });
    expect(run.emitted).toEqual({ total: [{ key: 'a', value: order('a', 5, 2000), timestamp: 2000 }] });
    expect(run.deadLetters).toEqual([]);
  });

  test('puts what it cannot decode, and tombstones, aside', async () => {
    const run = await runStage(
      totals,
      'orders',
      kafkaEvent({ topic: 'orders', records: [{ value: '{"customer":' }, { value: order('a', 1) }] }),
    );

    expect(run.emitted['total']).toHaveLength(1);
    expect(run.deadLetters).toEqual([expect.objectContaining({ code: 'MILLRACE_DECODE_FAILED', stage: 'orders', value: '{"customer":' })]);
  });

  test('refuses the event of another source', async () => {
    const event = { ...kafkaEvent({ topic: 'orders', records: [{ value: 1 }] }), eventSource: 'aws:sqs' };

    await expect(runStage(totals, 'orders', event as never)).rejects.toMatchObject({ code: 'MILLRACE_EVENT_FOREIGN' });
  });
});

describe('a stage that reads a channel', () => {
  const records = [order('a', 5), order('a', 2), order('b', 1)].map((value) => ({ key: value.customer, value, timestamp: value.at }));

  test('keeps state, and fires no timer before its time', async () => {
    const early = await runStage(totals, 'total', { records, watermark: 59_999 });

    expect(early.sinks['totals']).toEqual([]);
  });

  test('fires event-time timers with the watermark', async () => {
    const run = await runStage(totals, 'total', { records, watermark: 60_000 });

    const values = run.sinks['totals']?.map(({ key, value }) => [key, value]) ?? [];
    expect(Object.fromEntries(values)).toEqual({
      a: { customer: 'a', total: 7, at: 60_000 },
      b: { customer: 'b', total: 1, at: 60_000 },
    });
  });

  test('takes no event', async () => {
    const run = runStage(totals, 'total', kafkaEvent({ topic: 'orders', records: [{ value: 1 }] }));

    await expect(run).rejects.toMatchObject({ code: expect.stringMatching(/^MILLRACE_/) });
  });

  test('sees the time of a manual clock as processing time', async () => {
    const watch = pipeline('watch', (env) => {
      env
        .fromElements('a')
        .keyBy((key) => key)
        .process({
          *processElement(key, ctx) {
            yield { key, now: ctx.timerService.currentProcessingTime() };
          },
        })
        .uid('watch')
        .sinkTo(kafka.sink({ topic: 'times', value: json() }));
    });
    const clock = new ManualClock(5000);
    clock.advance(250);

    const run = await runStage(watch, 'watch', { records: [{ key: 'a', value: 'a' }] }, { clock });

    expect(run.sinks['times']).toEqual([expect.objectContaining({ value: { key: 'a', now: 5250 } })]);
  });
});

describe('says what is wrong', () => {
  test('with the name of a stage', async () => {
    await expect(runStage(totals, 'totals', { records: [] })).rejects.toThrow("has no stage 'totals'; it has orders, total");
  });

  test('with records for a stage that reads a topic', async () => {
    await expect(runStage(totals, 'orders', { records: [] })).rejects.toThrow(
      "stage 'orders' reads a topic: give it an event from kafkaEvent()",
    );
  });
});
