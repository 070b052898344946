import { beforeEach, expect, test } from '@jest/globals';
import { openFrame } from '../../../functions/codec/frame-reader.ts';
import { planPipeline } from '../../../functions/graph/plan.ts';
import { pipeline } from '../../../functions/api/pipeline.ts';
import { WatermarkStrategy } from '../../../functions/api/watermark-strategy.ts';
import { json } from '../../../functions/codec/json.ts';
import { kafkaSource } from '../../../functions/connectors/kafka/source.ts';
import type { StagePlan } from '../../../functions/graph/stage-plan.ts';
import { IdleClock, type WatchedPartition } from '../../../local/idle-clock.ts';
import { MemoryLog } from '../../../local/testing/memory-log.ts';
import { ManualLocalClock } from './manual-local-clock.ts';

const plan = planPipeline(
  pipeline('p', { parallelism: 2 }, (env) => {
    env
      .fromSource(kafkaSource({ topic: 'in', value: json<{ k: string }>() }), { uid: 'in' })
      .assignTimestampsAndWatermarks(WatermarkStrategy.forMonotonousTimestamps().withIdleness(2000))
      .keyBy(({ k }) => k)
      .count()
      .uid('count')
      .print();
  }).build(),
);
const stage = plan.stages[0] as StagePlan;
const channel = plan.channels[0]?.topic ?? '';

/** A partition as its mapping knows it; the log may know more. */
class Partition implements WatchedPartition {
  readonly topic = 'in';
  readonly partition: number;
  lag = 0;
  isOurs = true;
  committed = 3;
  end = 3;

  constructor(partition: number) {
    this.partition = partition;
  }

  endOffset(): Promise<number> {
    return Promise.resolve(this.end);
  }

  committedOffset(): Promise<number> {
    return Promise.resolve(this.committed);
  }
}

let clock: ManualLocalClock;
let log: MemoryLog;
let first: Partition;
let second: Partition;
let idleness: IdleClock;

beforeEach(() => {
  clock = new ManualLocalClock();
  log = new MemoryLog(clock);
  log.createTopic(channel, 2);
  [first, second] = [new Partition(0), new Partition(1)];
  idleness = newClock();
});

function newClock(): IdleClock {
  const targets = [{ stage, partitions: [first, second] }];
  return new IdleClock({ plan, targets, log: { writer: log, isFull: () => false }, clock });
}

function declared(partition = 0): (readonly [string, number | undefined, number])[] {
  const frames = (log.partitions(channel)[partition] ?? []).map(({ value }) => openFrame(value ?? new Uint8Array()));
  return frames.map(({ upstream, idleFrom, upstreamTasks }) => [upstream, idleFrom, upstreamTasks]);
}

test('a partition whose records have been applied is declared idle after the timeout, to every partition behind it, and again', async () => {
  second.lag = 1;
  idleness.start();
  await clock.advance(2400);
  expect(declared()).toEqual([]);
  await clock.advance(200);
  expect(declared(0)).toEqual([['in/in-0@1', 3, 2]]);
  expect(declared(1)).toEqual(declared(0));
  await clock.advance(2000);
  idleness.stop();
  await clock.advance(10_000);

  expect(declared()).toEqual([
    ['in/in-0@1', 3, 2],
    ['in/in-0@1', 3, 2],
  ]);
});

test('one that lags is not, wherever the lag shows; one with new records begins anew', async () => {
  first.end = 4; // only the log knows
  second.isOurs = false;
  idleness.start();
  await clock.advance(5000);
  expect(declared()).toEqual([]);
  first.committed = 4;
  await clock.advance(1900);
  expect(declared()).toEqual([]);
  await clock.advance(1000);
  idleness.stop();

  expect(declared()).toEqual([['in/in-0@1', 4, 2]]);
});

test('what cannot be read now is looked at again', async () => {
  second.lag = 1;
  first.committedOffset = () => Promise.reject(new Error('no connection'));
  idleness.start();
  await clock.advance(5000);
  first.committedOffset = () => Promise.resolve(3);
  await clock.advance(3000);
  idleness.stop();

  expect(declared()).toEqual([['in/in-0@1', 3, 2]]);
});

test('a source that has ended is left out, and one without a timeout', async () => {
  idleness.start();
  idleness.leaveOut('in');
  await clock.advance(5000);
  const { idlenessMs: _, ...input } = stage.input as StagePlan['input'] & { idlenessMs?: number };
  const never = { ...stage, input } as StagePlan;
  new IdleClock({ plan, targets: [{ stage: never, partitions: [first] }], log: { writer: log, isFull: () => false }, clock }).start();
  await clock.advance(5000);

  expect(declared()).toEqual([]);
});
