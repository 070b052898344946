import { describe, expect, test } from '@jest/globals';
import type { FeedSource } from '../../../functions/connectors/source.ts';
import { embeddedFeedTopic } from '../../../local/embedded-harness-log.ts';
import { Feeder } from '../../../local/feeder.ts';
import { EmbeddedLog } from '../../../local/log/embedded-log.ts';
import { settle } from './manual-local-clock.ts';

/** A source of the records '0', '1', … in chunks of `chunk`. */
function numbers(count: number, chunk = 7): FeedSource<unknown> & { reads: number } {
  const source = {
    kind: 'feed' as const,
    name: 'numbers',
    bounded: true,
    value: { name: 'none', encode: () => new Uint8Array(), decode: () => undefined },
    reads: 0,
    async *read() {
      for (let from = 0; from < count; from += chunk) {
        source.reads++;
        yield Array.from({ length: Math.min(chunk, count - from) }, (_, i) => Buffer.from(String(from + i)));
      }
    },
  };
  return source;
}

function openLog(partitions: number, maxLeadBytes = 1e9): EmbeddedLog {
  const log = new EmbeddedLog({ limits: { maxLeadBytes, retentionBytes: 1e9 } });
  log.createTopic('t', partitions);
  return log;
}

function contents(log: EmbeddedLog, partition: number): number[] {
  return log.read('t', partition, 0, { maxRecords: 1e6, maxBytes: 1e9 }).map(({ value }) => Number(Buffer.from(value ?? []).toString()));
}

const never = new AbortController().signal;

test('the k-th record goes to partition k mod N, at offset ⌊k / N⌋', async () => {
  const log = openLog(3);

  await expect(new Feeder(embeddedFeedTopic(log, 't'), numbers(11), never).run()).resolves.toBe(true);
  expect([0, 1, 2].map((partition) => contents(log, partition))).toEqual([
    [0, 3, 6, 9],
    [1, 4, 7, 10],
    [2, 5, 8],
  ]);
});

test('chunks larger than one append give the same log', async () => {
  const log = openLog(2);
  await new Feeder(embeddedFeedTopic(log, 't'), numbers(5000, 5000), never).run();

  expect([contents(log, 0)[1234], contents(log, 1)[1234], contents(log, 0).length]).toEqual([2468, 2469, 2500]);
});

describe('resuming', () => {
  test.each([
    ['nothing', [0, 0, 0]],
    ['all partitions alike', [3, 3, 3]],
    ['partitions that an interrupted run left uneven', [5, 0, 2]],
    ['everything', [7, 7, 6]],
  ])('with %s written, the log ends up as from one run', async (_, ends) => {
    const log = openLog(3);
    for (const [partition, end] of ends.entries())
      await log.append(
        't',
        partition,
        Array.from({ length: end }, (_unused, i) => ({ key: null, value: Buffer.from(String(i * 3 + partition)) })),
      );

    const feeder = new Feeder(embeddedFeedTopic(log, 't'), numbers(20), never);
    await feeder.run();

    expect([0, 1, 2].map((partition) => contents(log, partition))).toEqual([
      [0, 3, 6, 9, 12, 15, 18],
      [1, 4, 7, 10, 13, 16, 19],
      [2, 5, 8, 11, 14, 17],
    ]);
    const before = ends.reduce((sum, end) => sum + end, 0);
    expect(feeder.stats).toMatchObject({ written: 20 - before, skipped: before });
  });
});

test('waits while the mapping is behind, and so reads no further than it may', async () => {
  const log = openLog(1, 200);
  log.subscribe('g', 't');
  const source = numbers(1000, 10);
  const feeder = new Feeder(embeddedFeedTopic(log, 't'), source, never);
  const running = feeder.run();
  await settle();
  await settle();
  expect(feeder.stats.isHeldBack).toBe(true);
  expect(source.reads).toBeLessThan(5);

  for (let end = 0; end < 1000; end = log.endOffset('t', 0)) {
    log.commit('g', 't', 0, end);
    await settle();
  }
  await expect(running).resolves.toBe(true);
  expect(contents(log, 0)).toHaveLength(1000);
});

test('stops at the signal, even while it is held back', async () => {
  const log = openLog(1, 200);
  log.subscribe('g', 't');
  const stop = new AbortController();
  const running = new Feeder(embeddedFeedTopic(log, 't'), numbers(1000), stop.signal).run();
  await settle();
  stop.abort();

  await expect(running).resolves.toBe(false);
});

test('stops at the signal while the source gives nothing, and lets the source clean up', async () => {
  let isCleanedUp = false;
  const source: FeedSource<unknown> = {
    ...numbers(0),
    read: () => ({
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => undefined),
        return: () => {
          isCleanedUp = true;
          return Promise.resolve({ done: true as const, value: undefined });
        },
      }),
    }),
  };
  const stop = new AbortController();
  const running = new Feeder(embeddedFeedTopic(openLog(1), 't'), source, stop.signal).run();
  await settle();
  stop.abort();

  await expect(running).resolves.toBe(false);
  expect(isCleanedUp).toBe(true);
});

test("passes on the source's error", async () => {
  async function* failing(): AsyncGenerator<readonly Uint8Array[]> {
    yield await Promise.reject(new Error('unreadable'));
  }
  const source: FeedSource<unknown> = { ...numbers(0), read: failing };

  await expect(new Feeder(embeddedFeedTopic(openLog(1), 't'), source, never).run()).rejects.toThrow('unreadable');
});
