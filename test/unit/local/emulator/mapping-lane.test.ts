import { expect, test } from '@jest/globals';
import type { OutgoingMessage } from '../../../../functions/channels/channel-writer.ts';
import { openEmbeddedInput } from '../../../../local/emulator/embedded-input.ts';
import { EventSourceMapping } from '../../../../local/emulator/event-source-mapping.ts';
import type { InvocationResult } from '../../../../local/emulator/function-emulator.ts';
import type { InputPartition } from '../../../../local/emulator/mapping-input.ts';
import { EmbeddedLog } from '../../../../local/log/embedded-log.ts';
import { Slots } from '../../../../local/slots.ts';
import { settle } from '../manual-local-clock.ts';
import { MappingDriver } from './mapping-driver.ts';
import { unpackEvent } from '../../../helpers/unpack-event.ts';

const DONE: InvocationResult = {
  ...{ requestId: 'r', isCold: false, durationMs: 1, logTail: '', metrics: [], error: undefined },
  payload: 'null',
};
const LEAD = 4096;
const BATCH = 10;
const messages = (count: number): OutgoingMessage[] => Array.from({ length: count }, () => ({ key: null, value: Buffer.alloc(100) }));

/** A log of the topics `a`, `b`, `c`, two partitions each; `b` and `c` are channels. */
function openLog(): EmbeddedLog {
  const log = new EmbeddedLog();
  log.createTopic('a', 2);
  for (const topic of ['b', 'c']) {
    log.createTopic(topic, 2, { maxLeadBytes: LEAD });
    for (const partition of log.partitions(topic)) partition.neverHold();
  }
  return log;
}

test('three stages get an amplified stream through two slots; no channel runs further ahead than its limit and one batch of each task', async () => {
  const log = openLog();
  const slots = new Slots(2, 1);
  const [records, growth] = [150, 30];
  let most = 0;
  for (const partition of log.partitions('c')) partition.watch(() => (most = Math.max(most, partition.leadBytes)));
  const stage = (input: string, output: string | undefined, factor: number, priority: number): EventSourceMapping =>
    new EventSourceMapping({
      ...{ slots, priority, group: input, batchSize: BATCH, windowMs: 0 },
      input: openEmbeddedInput(log, { group: input, topics: [input], outputTopics: output === undefined ? [] : [output] }),
      async invoke(event) {
        const lists = Object.values(unpackEvent(event).records);
        for (const { partition } of output === undefined ? [] : lists.flat()) await log.append(output ?? '', partition, messages(factor));
        await settle();
        return DONE;
      },
    });
  const mappings = [stage('a', 'b', 1, 0), stage('b', 'c', growth, 1), stage('c', undefined, 0, 2)];
  for (const partition of [0, 1]) await log.append('a', partition, messages(records));
  const through = log
    .partitions('c')
    .map(
      (partition) =>
        new Promise<void>((resolve) => partition.watchCommits((_, end = partition.minCommitted) => end === records * growth && resolve())),
    );
  for (const mapping of mappings) void mapping.start();
  await Promise.all(through);
  for (const mapping of mappings) await mapping.close();

  const perMessage = (log.partition('c', 0).bytes / (log.endOffset('c', 0) - log.partition('c', 0).startOffset)) * 1.1;
  expect(most).toBeGreaterThanOrEqual(LEAD);
  expect(most).toBeLessThanOrEqual(LEAD + 2 * BATCH * growth * perMessage);
});

test('takes no slot while a topic that the function writes to has no room, not for a retry either; a commit there wakes it', async () => {
  const driver = new MappingDriver();
  driver.log.createTopic('out', 1, { maxLeadBytes: 150 });
  driver.log.partition('out', 0).neverHold();
  driver.log.subscribe('reader', 'out');
  const slots = new Slots(1);
  await driver.log.append('out', 0, messages(2));
  await driver.start({ slots, outputTopics: ['out'] });
  await driver.append(0, 'x');
  expect(driver.calls).toHaveLength(0);
  await slots.acquire('other', 0);
  slots.release('other');

  driver.log.commit('reader', 'out', 0, 2);
  await settle();
  expect(driver.calls).toHaveLength(1);

  await driver.log.append('out', 0, messages(2));
  await driver.last.fail();
  await driver.clock.advance(100);
  expect(driver.calls).toHaveLength(1);

  driver.log.commit('reader', 'out', 0, 4);
  await settle();
  expect(driver.calls).toHaveLength(2);
  await driver.close();
});

test('a partition stays with one environment, which runs one batch at a time', async () => {
  const log = new EmbeddedLog();
  log.createTopic('a', 4);
  const [busy, seen] = [new Set<string>(), new Map<string, Set<number>>()];
  const mapping = new EventSourceMapping({
    ...{ slots: new Slots(4, 1), group: 'g', batchSize: 1, windowMs: 0, environments: 2 },
    input: openEmbeddedInput(log, { group: 'g', topics: ['a'] }),
    async invoke(event, environment) {
      expect(busy.has(environment)).toBe(false);
      busy.add(environment);
      await settle();
      busy.delete(environment);
      const [[record] = []] = Object.values(unpackEvent(event).records);
      const partitions = seen.get(environment) ?? new Set();
      seen.set(environment, partitions.add(Number(record?.partition)));
      return DONE;
    },
  });
  for (const partition of [0, 1, 2, 3]) await log.append('a', partition, messages(3));
  const through = log
    .partitions('a')
    .map(
      (partition) => new Promise<void>((resolve) => partition.watchCommits((_, end = partition.minCommitted) => end === 3 && resolve())),
    );
  void mapping.start();
  await Promise.all(through);
  await mapping.close();

  expect([...seen.values()].map((partitions) => [...partitions].sort())).toEqual([
    [0, 2],
    [1, 3],
  ]);
  expect([...seen.keys()]).toEqual([0, 1].map((partition) => mapping.environmentOf(partitionOf(mapping, partition))));
});

const partitionOf = (mapping: EventSourceMapping, partition: number) => mapping.options.input.partitions[partition] as InputPartition;
