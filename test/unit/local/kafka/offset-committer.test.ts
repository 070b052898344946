import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { OffsetCommitter, type TopicOffset } from '../../../../local/kafka/offset-committer.ts';
import { settle } from '../manual-local-clock.ts';

const at = (partition: number, offset: number): TopicOffset => ({ topic: 't', partition, offset });

let requests: { offsets: readonly TopicOffset[]; done: () => void; fail: () => void }[] = [];
let acknowledged: TopicOffset[] = [];
let committer: OffsetCommitter;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] });
  requests = [];
  acknowledged = [];
  committer = new OffsetCommitter(
    (offsets) => new Promise<void>((done, fail) => requests.push({ offsets, done, fail: () => fail(new Error('rebalancing')) })),
    (offset) => acknowledged.push(offset),
  );
});
afterEach(() => {
  jest.useRealTimers();
});

test('sends one request at a time; what comes meanwhile goes into the next, the last offset of each partition alone', async () => {
  committer.add(at(0, 1));
  committer.add(at(0, 2));
  committer.add(at(1, 5));
  committer.add(at(0, 3));
  expect(requests.map(({ offsets }) => offsets)).toEqual([[at(0, 1)]]);

  requests[0]?.done();
  await settle();

  expect(acknowledged).toEqual([at(0, 1)]);
  expect(requests.map(({ offsets }) => offsets)).toEqual([[at(0, 1)], [at(0, 3), at(1, 5)]]);
});

test('what failed is tried again after a while, but for what has been overtaken', async () => {
  committer.add(at(0, 1));
  committer.add(at(0, 2));
  committer.add(at(1, 1));
  requests[0]?.fail();
  await settle();
  expect(requests).toHaveLength(1);

  await jest.advanceTimersByTimeAsync(500);
  expect(requests[1]?.offsets).toEqual([at(0, 2), at(1, 1)]);
  requests[1]?.done();
  await settle();
  expect(acknowledged).toEqual([at(0, 2), at(1, 1)]);
});

test('forgets what is somebody else’s', async () => {
  committer.add(at(0, 1));
  committer.add(at(1, 1));
  committer.forget('t', 1);
  requests[0]?.done();
  await settle();

  expect(requests).toHaveLength(1);
});

test('tries once more at its end, and then leaves it', async () => {
  committer.add(at(0, 1));
  committer.add(at(0, 2));
  const closing = committer.close();
  requests[0]?.done();
  await settle();
  expect(requests[1]?.offsets).toEqual([at(0, 2)]);
  requests[1]?.fail();

  await expect(closing).resolves.toBeUndefined();
  await jest.advanceTimersByTimeAsync(10_000);
  expect(requests).toHaveLength(2);
});
