/** How dead letters get back, and which of them are chosen, without any log. */
import { describe, expect, test } from '@jest/globals';
import { pipeline } from '../../../../functions/api/pipeline.ts';
import { openFrame } from '../../../../functions/codec/frame-reader.ts';
import { json } from '../../../../functions/codec/json.ts';
import { kafkaSource } from '../../../../functions/connectors/kafka/source.ts';
import { planPipeline } from '../../../../functions/graph/plan.ts';
import { readableBytes } from '../../../../functions/runtime/dead-letter.ts';
import type { DeadLetterView } from '../../../../local/inspect/dead-letter.ts';
import { isSelected, parseOffsets } from '../../../../local/replay/letter-selection.ts';
import { replayFrames } from '../../../../local/replay/replay-frames.ts';
import { routeOf } from '../../../../local/replay/replay-route.ts';

const plan = planPipeline(
  pipeline('p', { parallelism: 2 }, (env) => {
    const keyed = kafkaSource({ topic: 'k', value: json<{ id: string }>(), keyedByRecordKey: true });
    env.fromSource(keyed, { uid: 'own' }).keyBy(({ id }) => id).count().uid('n').print(); // prettier-ignore
    const ending = kafkaSource({ topic: 'e', value: json<{ id: string }>(), keyedByRecordKey: true, bounded: 'latest' });
    env.fromSource(ending, { uid: 'ending' }).keyBy(({ id }) => id).count().uid('m').print(); // prettier-ignore
    env.fromSource(kafkaSource({ topics: ['a', 'b-c'], value: json<{ id: string }>() }), { uid: 'in' }).keyBy(({ id }) => id).count().uid('behind').print(); // prettier-ignore
  }).build(),
);
const channel = plan.channels[0]?.topic ?? '';

const letter: DeadLetterView = {
  ...{ partition: 0, offset: 4, timestamp: 1, origin: 'in/a-0@1:5.0.0', kind: 'message', stage: 'in', task: 'in/a-0@1' },
  ...{ code: 'X', error: '', stack: '', attempts: 3, key: null, headers: [], value: Buffer.from('{}') },
};

describe('a dead letter goes back', () => {
  test.each([
    [
      { stage: 'behind', task: `behind/${channel}-1@1`, kind: 'record' },
      { by: 'channel', topic: channel, partition: 1 },
    ],
    [{}, { by: 'here', topic: 'a', partition: 0 }],
    [{ task: 'in/b-c-12@1' }, { by: 'here', topic: 'b-c', partition: 12 }],
    [
      { stage: 'own', task: 'own/k-0@1' },
      { by: 'topic', topic: 'k', partition: 0 },
    ],
  ])('%j: %j', (fields, route) => {
    expect(routeOf({ ...letter, ...fields }, plan)).toMatchObject(route);
  });

  test.each([
    [{ origin: '' }, 'no dead letter of Millrace'],
    [{ task: 'a-0' }, 'no dead letter of Millrace'],
    [{ kind: 'timer' }, 'a timer that failed is gone'],
    [{ kind: 'output', refusedBy: 'totals' }, 'its record is applied, and only topic totals has refused'],
    [{ truncatedFrom: 2_000_000 }, 'cut from 2000000 bytes'],
    [{ task: 'in/a-0@2' }, 'it is of generation 2, and the pipeline of generation 1'],
    [{ stage: 'gone' }, 'no stage gone reads topic a in this pipeline any more'],
    [{ task: 'in/z-0@1' }, 'no stage in reads topic z in this pipeline any more'],
    [{ stage: 'ending', task: 'ending/e-0@1' }, 'topic e is read only up to the end'],
    [{ kind: 'record' }, 'stage in reads another kind of input now'],
  ])('not, if %j', (fields, why) => {
    expect(routeOf({ ...letter, ...fields }, plan)).toEqual({ by: 'none', why: expect.stringContaining(why) });
  });
});

test('a frame holds records as they were, by their places among the dead letters', () => {
  const values = [{ n: 1 }, { at: new Date(7), big: 2n ** 70n }, undefined];
  const records = values.map((value, i) => ({
    offset: 3 * i,
    origin: `o${i}`,
    value: readableBytes({ key: i === 0 ? 'a' : ['b', i], value, timestamp: i === 1 ? undefined : 100 + i, tag: i }),
  }));

  const [frame, ...others] = replayFrames(records, 10_000, 5);

  const reader = openFrame(frame ?? new Uint8Array());
  const read: unknown[] = [];
  while (reader.next()) read.push([reader.offset, reader.key, reader.timestamp, reader.tag, reader.value()]);
  expect(read).toEqual([
    [0, 'a', 100, 0, ['dead', 'o0', values[0]]],
    [3, ['b', 1], undefined, 1, ['dead', 'o1', values[1]]],
    [6, ['b', 2], 102, 2, ['dead', 'o2', undefined]],
  ]);
  expect([others, reader.upstream, reader.upstreamTasks, reader.steps]).toEqual([[], 'dlq', 0, []]);
});

test.each(['{"key":"a"}', '{', '\u0001', 'null', ''])('%j is no record of a channel', (text) => {
  const framing = (): unknown => replayFrames([{ offset: 0, origin: 'o', value: Buffer.from(text) }], 1000, 0);

  expect(framing).toThrow(expect.objectContaining({ code: 'MILLRACE_DECODE_FAILED' }));
});

test('offsets are lists of numbers and ranges', () => {
  const offsets = parseOffsets('3,7-9');
  const chosen = [2, 3, 4, 6, 7, 9, 10].filter((offset) => isSelected({ offsets }, { ...letter, offset }));

  expect(chosen).toEqual([3, 7, 9]);
  expect(isSelected({ offsets, code: 'Y' }, { ...letter, offset: 3 })).toBe(false);
  expect(isSelected({ stage: 'in', code: 'X' }, letter)).toBe(true);
  for (const text of ['', '1,', '-1', '2-1', '1-2-3', '1.5', 'x', '9007199254740993'])
    expect(() => parseOffsets(text)).toThrow(expect.objectContaining({ code: 'MILLRACE_FLAG_INVALID' }));
});
