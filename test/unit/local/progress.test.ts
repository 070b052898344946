import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { HarnessReport } from '../../../local/harness-report.ts';
import { openProgress } from '../../../local/progress.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

function report(recordsIn: number, troubles: object = {}, isHeldBack = false): HarnessReport {
  const hop = { stage: 'flights', recordsIn, recordsOut: recordsIn, lag: 7, deadLetters: 0, retries: 0, watermark: -Infinity, ...troubles };
  return { hops: [hop], seconds: 1.25, recordsPerSecond: 4000, feeds: [{ isHeldBack: false }, { isHeldBack }] } as unknown as HarnessReport;
}

/** What a terminal shows: the lines left after every "so many up, and erase below". */
function screen(written: string): string[] {
  const lines: string[] = [];
  const [first = '', ...others] = written.split('\x1b[');
  lines.push(...first.split('\n').slice(0, -1));
  for (const part of others) {
    const up = /^(\d+)A$/.exec(part)?.[1];
    if (up !== undefined) lines.splice(lines.length - Number(up));
    else lines.push(...part.replace(/^0J/, '').split('\n').slice(0, -1));
  }
  return lines;
}

function setUp(isLive: boolean, columns?: number): { progress: ReturnType<typeof openProgress>; written: () => string } {
  const out = Object.assign(new PassThrough({ encoding: 'utf8' }), columns === undefined ? {} : { columns });
  let text = '';
  out.on('data', (chunk: string) => (text += chunk));
  return { progress: openProgress(out, isLive), written: () => text };
}

describe('in a terminal', () => {
  test('keeps the figures below the lines', () => {
    const { progress, written } = setUp(true);
    let records = 1000;

    progress.follow(() => report(records));
    progress.line('first line');
    records = 2500;
    jest.advanceTimersByTime(250);
    progress.line('second line');

    expect(screen(written())).toEqual([
      'first line',
      'second line',
      '  flights       2,500 in       2,500 out           7 lag',
      '  1.3 s, 4,000 records/s',
    ]);
  });

  test('tells of dead letters and retries once there are some', () => {
    const { progress, written } = setUp(true);

    progress.follow(() => report(1, { deadLetters: 2, retries: 3 }));

    expect(screen(written())[0]).toMatch(/7 lag {2}2 dead {2}3 retries$/);
  });

  test('shows event time once a stage has it', () => {
    const { progress, written } = setUp(true, 120);

    progress.follow(() => report(1, { watermark: Date.UTC(2026, 0, 2, 3, 4, 5) }));

    expect(screen(written())[0]).toMatch(/7 lag {2}watermark 2026-01-02T03:04:05\.000Z$/);
  });

  test('tells when a feed is held back', () => {
    const { progress, written } = setUp(true);

    progress.follow(() => report(1, {}, true));

    expect(screen(written())[1]).toMatch(/records\/s, held-back$/);
  });

  test.each([
    [20, 19],
    [0, 79],
    [undefined, 79],
  ])('cuts figures at the edge, as a line that wraps could not be erased: %p columns', (columns, most) => {
    const { progress, written } = setUp(true, columns);

    progress.follow(() => report(1, { stage: 'x'.repeat(100) }));

    expect(screen(written())[0]).toHaveLength(most);
  });

  test('leaves only the lines behind', () => {
    const { progress, written } = setUp(true);

    progress.line('first line');
    progress.follow(() => report(1));
    progress.close();
    progress.line('last line');
    jest.advanceTimersByTime(10_000);

    expect(screen(written())).toEqual(['first line', 'last line']);
  });
});

describe('elsewhere', () => {
  test('writes a plain line every five seconds, without control characters', () => {
    const { progress, written } = setUp(false);

    progress.line('first line');
    progress.follow(() => report(1000));
    jest.advanceTimersByTime(10_000);
    progress.close();
    jest.advanceTimersByTime(10_000);

    const figures = 'flights 1000 in (lag 7); 4000 records/s\n';
    expect(written()).toBe(`first line\n${figures}${figures}`);
  });

  test('tells when a feed is held back', () => {
    const { progress, written } = setUp(false);

    progress.follow(() => report(1, {}, true));
    jest.advanceTimersByTime(5000);
    progress.close();

    expect(written()).toBe('flights 1 in (lag 7); 4000 records/s, held-back\n');
  });
});
