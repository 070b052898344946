/** Where a walk of `millrace why` ends early, and what it says then. */
import { describe, expect, test } from '@jest/globals';
import { traceLineage } from '../../../../local/inspect/lineage.ts';
import type { LogReader } from '../../../../local/inspect/log-reader.ts';
import type { TestWorld } from '../../../../local/testing/world.ts';
import { chain, input, readerOf, run, walk } from './traced.ts';

describe('refuses', () => {
  const made = chain('refused', {});
  const worldOf = (): Promise<TestWorld> => run(made, input);
  const origin = (text: string) => ({ key: null, value: Buffer.from('{}'), headers: [['millrace-origin', Buffer.from(text)]] as const });

  test.each([
    ['a partition that is not there', 'out', 9, 0, 'MILLRACE_MESSAGE_MISSING', 'topic out has no partition 9'],
    ['an offset beyond the end', 'out', 0, 999, 'MILLRACE_MESSAGE_MISSING', /out-0 has no offset 999: it holds 0 to \d+/],
    ['a topic that is not there', 'nope', 0, 0, 'MILLRACE_TOPIC_MISSING', 'nope'],
    ['a channel', 'test.refused.last.g1', 0, 0, 'MILLRACE_LINEAGE_MISSING', 'is the channel of stage last'],
    ['a message without the header', 'left', 0, 0, 'MILLRACE_LINEAGE_MISSING', 'has no header millrace-origin'],
  ])('%s', async (_name, topic, partition, offset, code, message) => {
    const error = await walk(await worldOf(), topic, partition, offset).catch((caught: unknown) => caught);

    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test.each([
    ['that is none', 'x', 'MILLRACE_LINEAGE_MISSING', "has the origin 'x', which names no record"],
    ['of another pipeline', 'last/test.other.last.g1-0@1:0.2.0', 'MILLRACE_PLAN_MISMATCH', 'has no such stage in namespace test'],
    ['of a stage that is gone', 'gone/left-0@1:0.0.0', 'MILLRACE_PLAN_MISMATCH', 'made by stage gone from topic left'],
    ['of an older generation whose channel is gone', 'last/test.refused.last.g0-0@0:0.2.0', 'MILLRACE_TOPIC_MISSING', 'g0'],
    [
      'of a record that its frame does not have',
      'last/test.refused.last.g1-0@1:0.9998.0',
      'MILLRACE_LINEAGE_MISSING',
      'no record at position 4998',
    ],
    [
      'of a watermark that its frame does not have',
      'last/test.refused.last.g1-0@1:0.19999.0',
      'MILLRACE_LINEAGE_MISSING',
      'no watermark at position 9999',
    ],
    ['of a message beyond the end', 'in/left-0@1:999.0.0', 'MILLRACE_MESSAGE_MISSING', 'has no offset 999'],
  ])('an origin %s', async (_name, text, code, message) => {
    const world = await worldOf();
    await world.log.append('out', 0, [origin(text)]);
    const last = (world.log.partitions('out')[0]?.length ?? 0) - 1;

    const error = await walk(world, 'out', 0, last).catch((caught: unknown) => caught);

    expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
  });

  test('headers that lead in a circle', async () => {
    const world = await worldOf();
    await world.log.append('left', 0, [origin('in/left-0@1:30.0.0')]);
    expect(world.log.partitions('left')[0]).toHaveLength(31);

    await expect(walk(world, 'left', 0, 30)).rejects.toMatchObject({
      code: 'MILLRACE_LINEAGE_MISSING',
      message: expect.stringContaining('twice'),
    });
  });

  test('what retention has dropped, behind the hops that are left', async () => {
    const world = await worldOf();
    const reader = readerOf(world);
    const find: LogReader['find'] = async (topic, partition, offset) => {
      const found = await reader.find(topic, partition, offset);
      return topic === 'left' || topic === 'right' ? { message: undefined, range: { partition, low: 1000, high: 2000 } } : found;
    };
    const kinds: string[] = [];
    const walking = (async () => {
      for await (const { kind } of traceLineage(world.plan, { ...reader, find }, { topic: 'out', partition: 0, offset: 0 }))
        kinds.push(kind);
    })();

    await expect(walking).rejects.toMatchObject({
      code: 'MILLRACE_MESSAGE_MISSING',
      message: expect.stringContaining('is gone: retention has dropped what was before 1000'),
    });
    expect(kinds).toEqual(['output', 'record', 'record']);
  });
});
