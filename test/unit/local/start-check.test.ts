import { expect, test } from '@jest/globals';
import type { PipelinePlan } from '../../../functions/graph/stage-plan.ts';
import { MillraceError } from '../../../functions/shared/errors.ts';
import type { FenceProgress } from '../../../local/end-of-input.ts';
import { checkStart, type StartCheckOptions } from '../../../local/start-check.ts';

/** A source stage without a fence, and a counting stage behind it; two partitions each. */
const plan = {
  stages: [
    { id: 'src', fenced: false, input: { kind: 'source', bounded: false } },
    { id: 'sum', fenced: true, input: { kind: 'channel' } },
  ],
} as unknown as PipelinePlan;
const TOPICS: Readonly<Record<string, string>> = { src: 'in', sum: 'shop.sum.g1' };

function progress(next: number, upstreams: readonly (readonly [string, number])[] = []): FenceProgress {
  return { next, watermark: 0, upstreams: new Map(upstreams) };
}

function check(
  fences: readonly (FenceProgress | undefined)[],
  ends: Readonly<Record<string, readonly number[]>>,
  more: Partial<StartCheckOptions> = {},
): Promise<void> {
  return checkStart({
    plan,
    partitions: ({ id }) => [0, 1].map((partition) => ({ topic: TOPICS[id] ?? '', partition })),
    ends: (topic) => Promise.resolve(ends[topic] ?? []),
    fenceProgress: (_stage, _topic, partition) => Promise.resolve(fences[partition]),
    clock: { now: () => 0, random: () => 0, sleep: () => Promise.resolve(), after: () => () => undefined },
    ...more,
  });
}

test('logs that hold all that was applied are as they should be', async () => {
  await check([progress(5, [['src/in-1@1', 7]]), undefined], { in: [0, 8], 'shop.sum.g1': [5, 0] });
});

test('without a fence no log is looked at', async () => {
  await check([], {}, { ends: () => Promise.reject(new Error('asked')) });
});

test('a log that ends before its fence went back', async () => {
  await expect(check([undefined, progress(5)], { in: [0, 0], 'shop.sum.g1': [9, 4] })).rejects.toMatchObject({
    code: 'MILLRACE_TOPIC_WENT_BACK',
    message: expect.stringContaining('task sum/shop.sum.g1-1 has applied everything below offset 5, but shop.sum.g1-1 ends at 4'),
  });
});

test('a log that ends before what a stage behind it has applied went back', async () => {
  await expect(check([progress(5, [['src/in-1@1', 7]])], { in: [9, 7], 'shop.sum.g1': [5, 0] })).rejects.toMatchObject({
    code: 'MILLRACE_TOPIC_WENT_BACK',
    message: expect.stringContaining('what src/in-1@1 made of offset 7, but in-1 ends at 7'),
  });
});

test('what the end of one partition has put out may be applied while others have not ended', async () => {
  const bounded = {
    stages: [
      { id: 'src', fenced: true, input: { kind: 'source', bounded: true } },
      { id: 'sum', fenced: true, input: { kind: 'channel' } },
    ],
  };
  const fences = [
    { ...progress(8), watermark: Infinity },
    progress(3),
    progress(4, [
      ['src/in-0@1', 7],
      ['src/in-1@1', 2],
    ]),
  ];

  await check(
    [],
    { in: [7, 9], 'shop.sum.g1': [4, 0] },
    {
      plan: bounded as unknown as PipelinePlan,
      fenceProgress: ({ id }, _topic, partition) =>
        Promise.resolve(id === 'src' ? fences[partition] : partition === 0 ? fences[2] : undefined),
    },
  );
});

test('the end of the input is applied, too, and is no record', async () => {
  const ended = { ...progress(6, [['src/in-1@1', 7]]), watermark: Infinity };

  await check([ended], { in: [0, 7], 'shop.sum.g1': [5, 0] });
  await expect(check([ended], { in: [0, 7], 'shop.sum.g1': [4, 0] })).rejects.toMatchObject({ code: 'MILLRACE_TOPIC_WENT_BACK' });
  await expect(check([ended], { in: [0, 6], 'shop.sum.g1': [5, 0] })).rejects.toMatchObject({ code: 'MILLRACE_TOPIC_WENT_BACK' });
});

test('a clock that sends ticks is no log', async () => {
  await check([progress(5, [['clock', 100]])], { in: [0, 0], 'shop.sum.g1': [5, 0] });
});

test('a store that is away for a moment is waited for; one that is wrong is not', async () => {
  let [reads, slept] = [0, 0];
  const failing = (code: 'MILLRACE_CONNECTION_LOST' | 'MILLRACE_CHROOT_MISSING', times: number): Partial<StartCheckOptions> => ({
    fenceProgress: () => (reads++ < times ? Promise.reject(new MillraceError(code, 'no')) : Promise.resolve(undefined)),
    clock: {
      now: () => slept,
      random: () => 0,
      sleep: (ms) => Promise.resolve(void (slept += ms)),
      after: () => () => undefined,
    },
  });

  await check([], {}, failing('MILLRACE_CONNECTION_LOST', 4));
  expect(slept).toBeGreaterThan(0);
  await expect(check([], {}, failing('MILLRACE_CONNECTION_LOST', Infinity))).rejects.toMatchObject({ code: 'MILLRACE_CONNECTION_LOST' });
  slept = 0;
  await expect(check([], {}, failing('MILLRACE_CHROOT_MISSING', Infinity))).rejects.toMatchObject({ code: 'MILLRACE_CHROOT_MISSING' });
  expect(slept).toBe(0);
});
