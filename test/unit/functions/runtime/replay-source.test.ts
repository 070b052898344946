/** A stage without a fence that is run again for a dead letter, by whoever replays it. */
import { expect, test } from '@jest/globals';
import { pipeline } from '../../../../functions/api/pipeline.ts';
import { openFrame } from '../../../../functions/codec/frame-reader.ts';
import { json } from '../../../../functions/codec/json.ts';
import { kafkaSink } from '../../../../functions/connectors/kafka/sink.ts';
import { kafkaSource } from '../../../../functions/connectors/kafka/source.ts';
import { planPipeline } from '../../../../functions/graph/plan.ts';
import { ALL_OPERATORS } from '../../../../functions/operators/all-operators.ts';
import { replayMessage } from '../../../../functions/runtime/replay-source.ts';
import { createStageRuntime } from '../../../../functions/runtime/stage-handler.ts';
import { DEFAULT_RUNTIME_OPTIONS, StageRuntime } from '../../../../functions/runtime/stage-runtime.ts';
import { systemClock } from '../../../../functions/shared/clock.ts';
import { MemoryLog } from '../../../../local/testing/memory-log.ts';
import { kafkaEvent } from '../../../../local/testing/kafka-event.ts';

const source = kafkaSource({ topic: 'in', value: json<{ k: string; n: number }>() });
const message = { topic: 'in', partition: 0, offset: 6, time: 77, key: null, headers: [] };

function openStage(build: Parameters<typeof pipeline>[2]) {
  const graph = pipeline('p', { parallelism: 1, maxAttempts: 1 }, build).build();
  const plan = planPipeline(graph);
  const log = new MemoryLog(systemClock);
  for (const topic of ['in', 'out', plan.deadLetterTopic, ...plan.channels.map(({ topic }) => topic)]) log.createTopic(topic, 1);
  const ports = { channels: log, transactions: log, state: undefined, clock: systemClock, print: () => undefined, log: () => undefined };
  const stage = plan.stages.find(({ id }) => id === 'in');
  if (!stage) throw new Error('no stage');
  const runtime = new StageRuntime(plan, { stage, graph, operators: ALL_OPERATORS }, ports, DEFAULT_RUNTIME_OPTIONS);
  const handler = createStageRuntime(plan, 'in', graph, ports);
  const contents = (topic: string): Uint8Array[] => log.partitions(topic).flat().map(({ value }) => value ?? new Uint8Array()); // prettier-ignore
  return { plan, runtime, handler, contents, replay: (text: string) => replayMessage(runtime, { ...message, value: Buffer.from(text) }) };
}

test('names what it puts out by origin and emission, with the old timestamp and without a watermark', async () => {
  const { plan, contents, replay } = openStage((env) => {
    const lines = env.fromSource(source, { uid: 'in' });
    lines.union(lines.map(({ k, n }) => ({ k, n: -n }))).keyBy(({ k }) => k).sum('n').uid('sum').print(); // prettier-ignore
  });

  expect(await replay('{"k":"a","n":4}')).toBeUndefined();

  const [frame, ...others] = contents(plan.channels[0]?.topic ?? '');
  const reader = openFrame(frame ?? new Uint8Array());
  const read: unknown[] = [];
  while (reader.next()) read.push([reader.key, reader.timestamp, reader.value()]);
  expect(read).toEqual([
    ['a', 77, ['once', 'in/in-0@1:6.0.0', { k: 'a', n: -4 }]],
    ['a', 77, ['once', 'in/in-0@1:6.0.1', { k: 'a', n: 4 }]],
  ]);
  expect([others, reader.upstream, reader.upstreamTasks, reader.steps]).toEqual([[], 'dlq', 0, []]);
});

test('sends nothing of what fails again, and says why', async () => {
  const { contents, replay } = openStage((env) => {
    const lines = env.fromSource(source, { uid: 'in' });
    const checked = lines.map((one) => {
      if (one.n > 9) throw new Error('too large');
      return one;
    });
    lines.sinkTo(kafkaSink({ topic: 'out', value: json() }));
    checked.sinkTo(kafkaSink({ topic: 'out', value: json() }));
  });

  expect(await replay('no json')).toMatchObject({ code: 'MILLRACE_DECODE_FAILED' });
  expect(await replay('{"k":"a","n":10}')).toMatchObject({ code: 'MILLRACE_USER_FUNCTION', message: 'too large', attempts: 1 });
  expect(contents('out')).toEqual([]);
  expect(await replay('{"k":"a","n":1}')).toBeUndefined();
  expect(contents('out')).toHaveLength(2);
});

test('an exactly-once sink gets it in a transaction that leaves the offset where it is', async () => {
  const { contents, handler, replay } = openStage((env) => {
    env.fromSource(source, { uid: 'in' }).sinkTo(kafkaSink({ topic: 'out', value: json(), delivery: 'exactly-once' }));
  });
  const numbers = (): number[] => contents('out').map((bytes) => (JSON.parse(Buffer.from(bytes).toString()) as { n: number }).n);
  const batch = (offset: number, n: number): ReturnType<typeof handler> =>
    handler(kafkaEvent({ topic: 'in', records: [{ value: { k: 'a', n }, offset }] }));
  await expect(replay('{"k":"a","n":1}')).rejects.toMatchObject({ code: 'MILLRACE_REPLAY_REFUSED' });
  expect(await batch(7, 7)).toEqual({ batchItemFailures: [] });

  expect(await replay('{"k":"a","n":1}')).toBeUndefined();
  await batch(7, 7);
  await batch(8, 8);

  expect(numbers()).toEqual([7, 1, 8]);
});
