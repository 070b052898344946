import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { pipeline } from '../../../../functions/api/pipeline.ts';
import { WatermarkStrategy } from '../../../../functions/api/watermark-strategy.ts';
import { openFrame } from '../../../../functions/codec/frame-reader.ts';
import { FrameListWriter, idleFrame } from '../../../../functions/codec/frame-writer.ts';
import { json } from '../../../../functions/codec/json.ts';
import { kafkaSink } from '../../../../functions/connectors/kafka/sink.ts';
import { kafkaSource } from '../../../../functions/connectors/kafka/source.ts';
import { planPipeline } from '../../../../functions/graph/plan.ts';
import { readFenceProgress } from '../../../../functions/runtime/fence-progress.ts';
import type { StageHandler } from '../../../../functions/runtime/lambda.ts';
import { createStageRuntime } from '../../../../functions/runtime/stage-handler.ts';
import { systemClock } from '../../../../functions/shared/clock.ts';
import { MemoryStateBackend } from '../../../../functions/state/memory/memory-state-backend.ts';
import { MemoryLog } from '../../../../local/testing/memory-log.ts';

interface Reading {
  readonly k: string;
}

const readings = pipeline('readings', { parallelism: 1, watermarkIntervalMs: 1 }, (env) => {
  env
    .fromSource(kafkaSource({ topic: 'in', value: json<Reading>() }), { uid: 'in' })
    .assignTimestampsAndWatermarks(WatermarkStrategy.forMonotonousTimestamps().withIdleness('1 second'))
    .keyBy(({ k }) => k)
    .count()
    .uid('first')
    .keyBy(() => 'all')
    .count()
    .uid('second')
    .sinkTo(kafkaSink({ topic: 'out', value: json() }));
});
const graph = readings.build();
const plan = planPipeline(graph);
const topicOf = (id: string): string => plan.channels.find((channel) => channel.id === id)?.topic ?? '';

/** The stage `first` of that pipeline, whose frames tests write: of as many upstream tasks as they say. */
class FirstStage {
  readonly log = new MemoryLog(systemClock);
  private readonly state = new MemoryStateBackend();
  private readonly handler: StageHandler;
  private next = 0;
  private readonly upstreams: number;

  constructor(upstreams: number) {
    this.upstreams = upstreams;
    for (const topic of [topicOf('second'), 'out', plan.deadLetterTopic]) this.log.createTopic(topic, 1);
    const ports = { channels: this.log, state: this.state, clock: systemClock, print: () => undefined, log: () => undefined };
    this.handler = createStageRuntime(plan, 'first', graph, ports);
  }

  /** Records of an upstream's input at these offsets, and the watermark behind them. @returns the task's watermark afterwards */
  send(upstream: number, offsets: readonly number[], watermark?: number): Promise<number> {
    const writer = new FrameListWriter({ upstream: nameOf(upstream), upstreamTasks: this.upstreams, maxBytes: 10_000 });
    for (const offset of offsets) writer.add(offset, 0, 0, offset, 0, 'a', { k: 'a' });
    return this.deliver(writer.finish(watermark));
  }

  idle(upstream: number, offset: number): Promise<number> {
    return this.deliver([idleFrame(nameOf(upstream), this.upstreams, offset)]);
  }

  /** From which offset of its own input the stage has told that it is idle, with each frame that it has sent; undefined where it has not. */
  told(): (number | undefined)[] {
    const sent = this.log.partitions(topicOf('second')).flat();
    return sent.map(({ value }) => openFrame(value ?? new Uint8Array()).idleFrom);
  }

  private async deliver(frames: readonly Uint8Array[]): Promise<number> {
    const topic = topicOf('first');
    const records = frames.map((frame) => ({
      ...{ topic, partition: 0, offset: this.next++, timestamp: this.next, timestampType: 'LOG_APPEND_TIME' as const, key: null },
      value: Buffer.from(frame).toString('base64'),
      headers: [],
    }));
    if (records.length > 0) await this.handler({ eventSource: 'SelfManagedKafka', records: { [`${topic}-0`]: records } });
    return (await readFenceProgress(this.state, plan, 'first', topic, 0))?.watermark ?? -Infinity;
  }
}

function nameOf(upstream: number): string {
  return `in/in-${upstream}@1`;
}

describe('an upstream that is declared idle', () => {
  let stage: FirstStage;
  beforeEach(() => {
    stage = new FirstStage(2);
  });

  test('does not hold back the watermark, whether it was ever heard of or not', async () => {
    expect(await stage.send(0, [0], 100)).toBe(-Infinity);
    expect(await stage.idle(1, 0)).toBe(100);
    expect(await stage.send(0, [1], 200)).toBe(200);
  });

  test('holds it back again from its next frame on; it never falls', async () => {
    await stage.send(0, [0], 100);
    await stage.idle(1, 0);
    expect(await stage.send(1, [0], 50)).toBe(100);
    expect(await stage.send(0, [1], 200)).toBe(100);
    expect(await stage.send(1, [], 150)).toBe(150);
  });

  test('a declaration that is older than what has been heard counts for nothing', async () => {
    await stage.send(0, [0], 100);
    await stage.send(1, [0, 5], 10);
    expect(await stage.idle(1, 5)).toBe(10);
    expect(await stage.idle(1, 6)).toBe(100);
  });

  test('while all are idle the watermark stays, and the stage tells its own stages so, as of its own input', async () => {
    await stage.send(0, [0], 100);
    await stage.send(1, [0], 90);
    expect(await stage.idle(0, 1)).toBe(90);
    expect(stage.told().filter((offset) => offset !== undefined)).toEqual([]);
    expect(await stage.idle(1, 1)).toBe(90);
    expect(stage.told().at(-1)).toBe(4);
    expect(await stage.idle(1, 1)).toBe(90);
    expect(stage.told().at(-1)).toBe(5);
    expect(await stage.send(0, [1], 120)).toBe(120);
    expect(stage.told().at(-1)).toBeUndefined();
  });

  test('does not count as ended; and what has ended is not idle', async () => {
    await stage.send(0, [0], Infinity);
    await stage.send(1, [0], 90);
    expect(await stage.idle(1, 1)).toBe(90);
    expect(await stage.idle(0, 1)).toBe(90);
    expect(await stage.send(1, [], 150)).toBe(150);
    expect(await stage.send(1, [], Infinity)).toBe(Infinity);
  });
});

type Step =
  | { readonly kind: 'frame'; readonly upstream: number; readonly records: number; readonly ahead: number | undefined }
  | { readonly kind: 'idle'; readonly upstream: number; readonly back: number };

const UPSTREAMS = 3;
const upstream = fc.nat({ max: UPSTREAMS - 1 });
const steps = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(
    fc.record({
      kind: fc.constant('frame' as const),
      upstream,
      records: fc.nat({ max: 2 }),
      ahead: fc.option(fc.oneof({ weight: 5, arbitrary: fc.nat({ max: 50 }) }, { weight: 1, arbitrary: fc.constant(Infinity) }), {
        nil: undefined,
      }),
    }),
    fc.record({ kind: fc.constant('idle' as const), upstream, back: fc.nat({ max: 1 }) }),
  ),
  { maxLength: 20 },
);

test('the watermark never falls, and is the minimum over all upstream tasks that are not idle', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const stage = new FirstStage(UPSTREAMS);
      const upstreams = Array.from({ length: UPSTREAMS }, () => ({ next: 0, watermark: -Infinity, isIdle: false, isHeard: false }));
      let expected = -Infinity;
      for (const step of sequence) {
        const one = upstreams[step.upstream] as (typeof upstreams)[number];
        let found: number;
        if (step.kind === 'idle') {
          const offset = one.next - step.back;
          found = offset < 0 ? expected : await stage.idle(step.upstream, offset);
          if (step.back === 0 && one.watermark < Infinity) one.isIdle = true;
        } else {
          const isOver = one.watermark === Infinity;
          const offsets = isOver ? [] : Array.from({ length: step.records }, () => one.next++);
          const watermark = step.ahead === undefined || isOver ? undefined : Math.max(one.watermark, 0) + step.ahead;
          found = await stage.send(step.upstream, offsets, watermark);
          const isSent = offsets.length > 0 || watermark !== undefined;
          if (isSent) one.isIdle = false;
          if (watermark !== undefined) one.watermark = watermark;
        }
        const speaking = upstreams.filter(({ isIdle }) => !isIdle).map(({ watermark }) => watermark);
        const least = Math.min(...speaking);
        if (speaking.length > 0 && (least < Infinity || speaking.length === UPSTREAMS)) expected = Math.max(expected, least);
        expect(found).toBe(expected);
      }
    }),
    { numRuns: 300 },
  );
});
