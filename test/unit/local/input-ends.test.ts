import { expect, test } from '@jest/globals';
import { json, kafka, pipeline } from '../../../functions/index.ts';
import { planPipeline } from '../../../functions/graph/plan.ts';
import type { StagePlan, StopPosition } from '../../../functions/graph/stage-plan.ts';
import { MemoryStateBackend } from '../../../functions/state/memory/memory-state-backend.ts';
import { openEmbeddedInput } from '../../../local/emulator/embedded-input.ts';
import { KafkaEventBuilder } from '../../../local/emulator/kafka-event-builder.ts';
import { fixInputEnds } from '../../../local/input-ends.ts';
import { EmbeddedLog } from '../../../local/log/embedded-log.ts';
import { ManualLocalClock } from './manual-local-clock.ts';

function stageOf(bounded?: StopPosition): StagePlan {
  const source = kafka.source({ topics: ['a', 'b'], value: json(), ...(bounded !== undefined && { bounded }) });
  const plan = planPipeline(pipeline('p', (env) => void env.fromSource(source, { uid: 'in' }).print()).build());
  return plan.stages[0] as StagePlan;
}

const PLAN = { namespace: 'default', pipeline: 'p' };

test('ends are fixed once, whoever asks and however often', async () => {
  const state = new MemoryStateBackend();
  let latest = 3;
  const options = { plan: PLAN, state, stopOffsets: () => Promise.resolve([latest++, 0]) };

  const both = await Promise.all([fixInputEnds(stageOf('latest'), options), fixInputEnds(stageOf('latest'), options)]);
  const later = await fixInputEnds(stageOf('latest'), options);

  expect(both[1]).toEqual(both[0]);
  expect(later).toEqual(both[0]);
  expect(Object.keys(later ?? {})).toEqual(['a', 'b']);
});

test('a source without an end has none', async () => {
  const stopOffsets = (): Promise<number[]> => Promise.reject(new Error('not asked'));

  expect(await fixInputEnds(stageOf(), { plan: PLAN, state: new MemoryStateBackend(), stopOffsets })).toBeUndefined();
});

test('the embedded log is read up to the end, not beyond', async () => {
  const clock = new ManualLocalClock();
  const log = new EmbeddedLog({ clock });
  log.createTopic('a', 2);
  const append = (partition: number, text: string): Promise<void> => log.append('a', partition, [{ key: null, value: Buffer.from(text) }]);
  await append(0, '0');
  await append(0, '1');
  const ends = { a: log.offsetsAt('a', 'latest') };
  await append(0, '2');
  await append(1, '3');

  const [first, second] = openEmbeddedInput(log, { group: 'g', topics: ['a'], ends }).partitions;
  const event = new KafkaEventBuilder('b:1', 100_000);
  first?.addTo(event, 10);

  expect(ends).toEqual({ a: [2, 0] });
  expect([first?.lag, first?.backlog()?.records, await first?.endOffset()]).toEqual([2, 2, 2]);
  expect(event.parts).toMatchObject([{ from: 0, to: 2, records: 2 }]);
  expect([second?.lag, second?.backlog(), await second?.endOffset()]).toEqual([0, undefined, 0]);
  await log.close();
});

test('positions stand for offsets, and never for more than there is', async () => {
  const clock = new ManualLocalClock();
  const log = new EmbeddedLog({ clock });
  log.createTopic('a', 2);
  for (const text of ['0', '1', '2']) await log.append('a', 0, [{ key: null, value: Buffer.from(text) }]);

  expect(log.offsetsAt('a', { offsets: { a: { 0: 2 } } })).toEqual([2, 0]);
  expect(log.offsetsAt('a', { offsets: { a: { 0: 20 } } })).toEqual([3, 0]);
  expect(log.offsetsAt('a', { offsets: {} })).toEqual([3, 0]);
  expect(log.offsetsAt('a', { timestamp: 0 })).toEqual([0, 0]);
  await log.close();
});
