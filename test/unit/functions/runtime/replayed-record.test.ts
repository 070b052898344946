import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { pipeline } from '../../../../functions/api/pipeline.ts';
import { valueState } from '../../../../functions/api/state-descriptors.ts';
import { WatermarkStrategy } from '../../../../functions/api/watermark-strategy.ts';
import { openFrame } from '../../../../functions/codec/frame-reader.ts';
import { FrameListWriter } from '../../../../functions/codec/frame-writer.ts';
import { json } from '../../../../functions/codec/json.ts';
import { string } from '../../../../functions/codec/string.ts';
import { kafkaSink } from '../../../../functions/connectors/kafka/sink.ts';
import { kafkaSource } from '../../../../functions/connectors/kafka/source.ts';
import { planPipeline } from '../../../../functions/graph/plan.ts';
import { readFenceProgress } from '../../../../functions/runtime/fence-progress.ts';
import { replayHeader } from '../../../../functions/runtime/kafka-event.ts';
import type { BatchMetrics } from '../../../../functions/runtime/metrics.ts';
import { createStageRuntime } from '../../../../functions/runtime/stage-handler.ts';
import { systemClock } from '../../../../functions/shared/clock.ts';
import { MemoryStateBackend } from '../../../../functions/state/memory/memory-state-backend.ts';
import { MemoryLog } from '../../../../local/testing/memory-log.ts';

interface Reading {
  readonly k: string;
  readonly n: number;
  readonly time: number;
}

/** Negative numbers throw until they are mended. */
let isMended = false;
const readings = pipeline('readings', { parallelism: 1, watermarkIntervalMs: 1, maxAttempts: 1 }, (env) => {
  env
    .fromSource(kafkaSource({ topic: 'in', value: json<Reading>(), keyedByRecordKey: true }), { uid: 'in' })
    .assignTimestampsAndWatermarks(WatermarkStrategy.forMonotonousTimestamps().withTimestampAssigner(({ time }) => time))
    .keyBy(({ k }) => k)
    .process({
      state: { total: valueState('total', { default: 0 }) },
      *processElement({ n }, ctx) {
        if (n < 0 && !isMended) throw new Error('negative');
        ctx.state.total.update(ctx.state.total.value() + n);
        yield { total: ctx.state.total.value(), timestamp: ctx.timestamp };
      },
    })
    .uid('sum')
    .sinkTo(kafkaSink({ topic: 'out', value: json() }));
});

describe('a message that is a replayed dead letter', () => {
  const graph = readings.build();
  const plan = planPipeline(graph);
  const [stage] = plan.stages;
  const group = stage?.group ?? '';
  let log: MemoryLog;
  let state: MemoryStateBackend;
  let metrics: BatchMetrics[];
  let send: (messages: readonly { value: object; header?: readonly [string, Uint8Array] }[]) => Promise<void>;
  const note = (message: unknown): void => void metrics.push(message as BatchMetrics);

  beforeEach(() => {
    isMended = false;
    log = new MemoryLog(systemClock);
    state = new MemoryStateBackend();
    metrics = [];
    for (const topic of ['in', 'out', plan.deadLetterTopic]) log.createTopic(topic, 1);
    const ports = { channels: log, state, clock: systemClock, print: () => undefined, log: () => undefined };
    const handler = createStageRuntime(plan, 'in', graph, ports);
    let next = 0;
    send = async (messages) => {
      const records = messages.map(({ value, header }) => ({
        ...{ topic: 'in', partition: 0, offset: next++, timestamp: 50, timestampType: 'CREATE_TIME' as const, key: null },
        value: Buffer.from(JSON.stringify(value)).toString('base64'),
        headers: header ? [{ [header[0]]: [...header[1]] }] : [],
      }));
      await handler({ eventSource: 'SelfManagedKafka', records: { 'in-0': records } });
    };
    subscribe('millrace:stage:batch', note);
  });
  afterEach(() => {
    unsubscribe('millrace:stage:batch', note);
  });

  const results = (): unknown[] =>
    log
      .partitions('out')
      .flat()
      .map(({ value }) => JSON.parse(Buffer.from(value ?? []).toString()) as unknown);
  const origin = 'in/in-0@1:1.0.0';
  const bad = { k: 'a', n: -2, time: 900 };

  test('is applied once, and only in the stage that it is of; it moves no watermark', async () => {
    await send([{ value: { k: 'a', n: 5, time: 100 } }, { value: bad }]);
    isMended = true;
    const before = await readFenceProgress(state, plan, 'in', 'in', 0);

    await send([{ value: bad, header: replayHeader({ group: 'default.readings.other', time: 7, origin }) }]);
    await send([{ value: bad, header: replayHeader({ group, time: 7, origin: 'in/in-0@1:0.0.0' }) }]);
    expect(results()).toEqual([{ total: 5, timestamp: 100 }]);
    await send([1, 2].map(() => ({ value: bad, header: replayHeader({ group, time: 7, origin }) })));

    expect(results()).toEqual([
      { total: 5, timestamp: 100 },
      { total: 3, timestamp: 900 },
    ]);
    expect(metrics.map(({ duplicates }) => duplicates)).toEqual([0, 1, 1, 1]);
    expect((await readFenceProgress(state, plan, 'in', 'in', 0))?.watermark).toBe(before?.watermark);
  });

  test('that fails again is the same dead letter, with the time that it first had', async () => {
    await send([{ value: { k: 'a', n: 5, time: 100 } }, { value: bad }]);
    await send([{ value: bad, header: replayHeader({ group, time: 7, origin }) }]);
    const letters = log.partitions(plan.deadLetterTopic).flat();
    const headers = letters.map(({ headers: list = [] }) =>
      ['millrace-origin', 'millrace-timestamp'].map((name) => Buffer.from(list.find(([one]) => one === name)?.[1] ?? []).toString()),
    );
    isMended = true;
    await send([{ value: bad, header: replayHeader({ group, time: 7, origin }) }]);

    expect(headers).toEqual([
      [origin, '50'],
      [origin, '7'],
    ]);
    expect(results()).toHaveLength(2);
  });

  test('with a header of somebody else is a message as any other', async () => {
    const texts = ['no json', '[]', `["${group}",1]`, `{"group":"${group}"}`, 'null'];
    await send(texts.map((text) => ({ value: { k: 'a', n: 1, time: 1 }, header: ['millrace-replay', Buffer.from(text)] as const })));

    expect(results()).toHaveLength(texts.length);
  });
});

test('a source with a key decodes what is replayed with its first time, and without the header that brought it back', async () => {
  const graph = pipeline('keyed', { parallelism: 1, maxAttempts: 1 }, (env) => {
    env
      .fromSource(kafkaSource({ topic: 'in', key: string(), value: string(), keyedByRecordKey: true }), { uid: 'in' })
      .keyBy(({ key }) => key ?? '')
      .process({
        state: { seen: valueState('seen', { default: 0 }) },
        *processElement({ key, value, timestamp, offset, headers }, ctx) {
          ctx.state.seen.update(ctx.state.seen.value() + 1);
          if (value === 'bad' && offset === 0) throw new Error('bad');
          yield { key, value, timestamp, offset, headers: headers.map(([name, bytes]) => [name, String(Buffer.from(bytes))]) };
        },
      })
      .uid('seen')
      .sinkTo(kafkaSink({ topic: 'out', value: json() }));
  }).build();
  const plan = planPipeline(graph);
  const log = new MemoryLog(systemClock);
  for (const topic of ['in', 'out', plan.deadLetterTopic]) log.createTopic(topic, 1);
  const ports = { channels: log, state: new MemoryStateBackend(), clock: systemClock, print: () => undefined, log: () => undefined };
  const handler = createStageRuntime(plan, 'in', graph, ports);
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const send = (offset: number, timestamp: number, headers: readonly (readonly [string, Uint8Array])[]): ReturnType<typeof handler> =>
    handler({
      eventSource: 'SelfManagedKafka',
      records: {
        'in-0': [
          {
            ...{ topic: 'in', partition: 0, offset, timestamp, timestampType: 'CREATE_TIME' as const },
            ...{ key: base64('k'), value: base64('bad'), headers: headers.map(([name, bytes]) => ({ [name]: [...bytes] })) },
          },
        ],
      },
    });
  const trace = ['traceparent', Buffer.from('00-1')] as const;
  await send(0, 50, [trace]);

  await send(1, 900, [replayHeader({ group: plan.stages[0]?.group ?? '', time: 50, origin: 'in/in-0@1:0.0.0' }), trace]);

  const results = log.partitions('out').flat().map(({ value }) => JSON.parse(String(Buffer.from(value ?? []))) as unknown); // prettier-ignore
  expect(results).toEqual([{ key: 'k', value: 'bad', timestamp: 50, offset: 1, headers: [['traceparent', '00-1']] }]);
});

describe('a stage without a fence', () => {
  const graph = pipeline('plain', { parallelism: 1 }, (env) => {
    env
      .fromSource(kafkaSource({ topic: 'in', value: json<Reading>() }), { uid: 'in' })
      .keyBy(({ k }) => k)
      .sum('n')
      .uid('sum')
      .print();
  }).build();
  const plan = planPipeline(graph);

  test('drops what is replayed to others through its topic', async () => {
    const log = new MemoryLog(systemClock);
    const channel = plan.channels[0]?.topic ?? '';
    for (const topic of ['in', channel, plan.deadLetterTopic]) log.createTopic(topic, 1);
    const ports = { channels: log, state: undefined, clock: systemClock, print: () => undefined, log: () => undefined };
    const handler = createStageRuntime(plan, 'in', graph, ports);
    const [name, bytes] = replayHeader({ group: plan.stages[0]?.group ?? '', time: 1, origin: 'in/in-0@1:0.0.0' });
    const value = Buffer.from('{"k":"a","n":1}').toString('base64');
    const record = { topic: 'in', partition: 0, timestamp: 1, timestampType: 'CREATE_TIME' as const, key: null, value };
    const records = [
      { ...record, offset: 0, headers: [{ [name]: [...bytes] }] },
      { ...record, offset: 1, headers: [] },
    ];

    await handler({ eventSource: 'SelfManagedKafka', records: { 'in-0': records } });

    const frames = log.partitions(channel).flat();
    expect(frames.map(({ value: frame }) => openFrame(frame ?? new Uint8Array()).count)).toEqual([1]);
  });

  test.each([[[]], [['dead', 1, 2]], [['other', 'a', 2]], [{ 0: 'dead' }], ['dead']])(
    'its reader refuses %j in a frame of replays',
    async (value) => {
      const log = new MemoryLog(systemClock);
      const channel = plan.channels[0]?.topic ?? '';
      for (const topic of [channel, plan.deadLetterTopic]) log.createTopic(topic, 1);
      const ports = { channels: log, state: new MemoryStateBackend(), clock: systemClock, print: () => undefined, log: () => undefined };
      const handler = createStageRuntime(plan, 'sum', graph, ports);
      const writer = new FrameListWriter({ upstream: 'dlq', upstreamTasks: 0, maxBytes: 1000 });
      writer.add(0, 0, 0, undefined, 0, 'a', value);
      const [frame] = writer.finish(undefined).map((bytes) => Buffer.from(bytes).toString('base64'));
      const record = {
        topic: channel,
        partition: 0,
        offset: 0,
        timestamp: 1,
        timestampType: 'LOG_APPEND_TIME',
        key: null,
        value: frame,
        headers: [],
      };

      const handled = handler({ eventSource: 'SelfManagedKafka', records: { [`${channel}-0`]: [record] } });

      await expect(handled).rejects.toMatchObject({ code: 'MILLRACE_FRAME_CORRUPT' });
    },
  );
});
