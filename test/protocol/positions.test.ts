/** Scenarios in which the log or the fence goes back: one environment of the real runtime, over ports in memory. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { planPipeline } from '../../functions/graph/plan.ts';
import { json, kafka, pipeline } from '../../functions/index.ts';
import { taskPath } from '../../functions/runtime/open-task-store.ts';
import { createStageRuntime } from '../../functions/runtime/stage-handler.ts';
import type { StageHandler } from '../../functions/runtime/lambda.ts';
import { decodeFence, encodeFence, type Fence, newFence } from '../../functions/state/fence.ts';
import { MemoryStateBackend } from '../../functions/state/memory/memory-state-backend.ts';
import { kafkaEvent, ManualClock, type TestRecord } from '../../local/testing.ts';
import { MemoryLog } from '../../local/testing/memory-log.ts';

type Count = Readonly<Record<'key' | 'n', unknown>>;

const fragments = { maxParallelism: 128, count: 16 };

/** A source's stage that counts, or hands over to one that counts. */
const counting = (keyedByRecordKey: boolean): ReturnType<typeof pipeline> =>
  pipeline('shop', { parallelism: 1 }, (env) => {
    env
      .fromSource(kafka.source({ topic: 'in', value: json<{ key: string; n: number }>(), keyedByRecordKey }), { uid: 'in' })
      .keyBy(({ key }) => key)
      .sum('n')
      .uid('sum')
      .sinkTo(kafka.sink({ topic: 'out', value: json() }));
  });

class Run {
  readonly state = new MemoryStateBackend();
  readonly clock = new ManualClock();
  readonly log = new MemoryLog(this.clock);
  private readonly graph;
  private readonly plan;
  private readonly stages: readonly { readonly id: string; readonly topic: string; readonly handler: StageHandler }[];
  private readonly handed = new Map<string, number>();

  constructor(keyed: boolean) {
    this.graph = counting(keyed).build({});
    this.plan = planPipeline(this.graph, { namespace: 'test', generation: 1 });
    for (const topic of ['in', 'out', this.plan.deadLetterTopic, ...this.plan.channels.map(({ topic: name }) => name)])
      this.log.createTopic(topic, 1);
    const ports = {
      channels: this.log,
      transactions: this.log,
      state: this.state,
      clock: this.clock,
      print: () => undefined,
      log: () => undefined,
    };
    this.stages = this.plan.stages.map(({ id, input }) => ({
      id,
      topic: input.kind === 'channel' ? input.topic : 'in',
      handler: createStageRuntime(this.plan, id, this.graph, ports),
    }));
  }

  /** Input for the first stage, and what comes of it for the second. */
  async deliver(records: readonly TestRecord[], timestampType: 'CREATE_TIME' | 'LOG_APPEND_TIME' = 'LOG_APPEND_TIME'): Promise<void> {
    for (const { topic, handler } of this.stages) {
      if (topic === 'in') {
        await handler(kafkaEvent({ topic, records, timestampType }));
        continue;
      }
      const messages = this.log.partitions(topic)[0] ?? [];
      const fresh = messages.slice(this.handed.get(topic) ?? 0).map(({ value, offset, timestamp }) => ({ value, offset, timestamp }));
      if (fresh.length > 0) await handler(kafkaEvent({ topic, records: fresh }));
      this.handed.set(topic, messages.length);
    }
  }

  counts(): unknown[] {
    return (this.log.partitions('out')[0] ?? []).map(({ value }) => (JSON.parse(Buffer.from(value ?? []).toString()) as Count).n);
  }

  get fencePath(): string {
    return taskPath(this.plan, this.stages.at(-1)?.id ?? '', this.stages.at(-1)?.topic ?? '', 0);
  }

  async fence(): Promise<{ fence: Fence; version: number }> {
    const node = await this.state.read(this.fencePath);
    if (!node) throw new Error('no fence');
    return { fence: decodeFence(node.data), version: node.version };
  }
}

const START = Date.UTC(2026, 0, 1);
const records = (from: number, to: number, time = START): TestRecord[] =>
  Array.from({ length: to - from }, (_, i) => ({ value: { key: 'a', n: 1 }, offset: from + i, timestamp: time + from + i }));

describe('15: a topic that was recreated', () => {
  test('15: with fewer records than `next`: an error, and nothing dropped', async () => {
    const run = new Run(true);
    await run.deliver(records(0, 10));

    await expect(run.deliver(records(0, 4, START + 60_000))).rejects.toMatchObject({ code: 'MILLRACE_TOPIC_WENT_BACK' });
    expect((await run.fence()).fence.next).toBe(10);
    expect(run.counts()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('15: the topic of an upstream: an error of the stage behind it', async () => {
    const run = new Run(false);
    await run.deliver(records(0, 10));

    await expect(run.deliver(records(0, 4, START + 60_000))).rejects.toMatchObject({ code: 'MILLRACE_UPSTREAM_WENT_BACK' });
    expect(run.counts()).toHaveLength(10);
  });

  test('15: a batch that only comes again is none', async () => {
    for (const keyed of [true, false]) {
      const run = new Run(keyed);
      await run.deliver(records(0, 10));
      await run.deliver(records(2, 7));

      expect(run.counts()).toHaveLength(10);
    }
  });
});

describe('19: the fence is reset while an environment holds the image', () => {
  let run: Run;
  beforeEach(async () => {
    run = new Run(true);
    await run.deliver(records(0, 3));
    expect(run.counts()).toEqual([1, 2, 3]);
  });

  test('19: a reset that goes on with seq: the image is refused', async () => {
    const { fence, version } = await run.fence();
    const seq = fence.seq + 1;
    const reset = { ...newFence(3, 'reset', fragments), seq, imageSeq: seq, lastTime: fence.lastTime };
    await run.state.multi([{ op: 'set', path: run.fencePath, data: encodeFence(reset), version }]);

    await run.deliver(records(3, 5));

    expect(run.counts().slice(3)).toEqual([1, 2]);
    expect((await run.fence()).fence.seq).toBe(seq + 1);
  });

  test('19: a fence that was deleted and made again, whatever its seq: the image is refused', async () => {
    const { fence } = await run.fence();
    const data = encodeFence({ ...newFence(3, 'made again', fragments), seq: fence.seq, imageSeq: fence.seq });
    for (const name of await run.state.list(run.fencePath)) await run.state.multi([{ op: 'delete', path: `${run.fencePath}/${name}` }]);
    await run.state.multi([{ op: 'delete', path: run.fencePath }]);
    await run.state.multi([
      { op: 'create', path: run.fencePath, data },
      { op: 'set', path: run.fencePath, data, version: 0 },
    ]);

    await run.deliver(records(3, 5));

    expect(run.counts().slice(3)).toEqual([1, 2]);
  });
});
