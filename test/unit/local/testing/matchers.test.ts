import { describe, expect, test } from '@jest/globals';
import { millraceMatchers, type MillraceMatchers, type StageRun } from '../../../../local/testing.ts';

declare module 'expect' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- the declaration that a user's project writes
  interface Matchers<R> extends MillraceMatchers<R> {}
}

expect.extend(millraceMatchers);

const run: StageRun = {
  response: { batchItemFailures: [] },
  emitted: { count: [{ key: 'a', value: { id: 1 }, timestamp: undefined }] },
  sinks: {
    totals: [
      { key: 'a', value: { total: 1 }, partition: 0 },
      { key: 'b', value: { total: 2 }, partition: 1 },
    ],
    empty: [],
  },
  collected: {},
  printed: [],
  deadLetters: [{ code: 'MILLRACE_USER_FUNCTION', error: 'no', origin: 'o', stage: 'count', value: 1 }],
};
const failed: StageRun = { ...run, response: { batchItemFailures: [{ itemIdentifier: { partition: 'orders-0', offset: 7 } }] } };

/** What a failing expectation tells, without colors. */
function messageOf(expectation: () => void): string {
  try {
    expectation();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('the expectation holds');
}

describe('hold', () => {
  test('for what a run has put out', () => {
    expect(run).toHaveEmitted('count', { id: 1 });
    expect(run).toHaveSunk('totals', { total: 2 });
    expect(run).toHaveSunk('totals', expect.objectContaining({ total: expect.any(Number) }));
    expect(run).toHaveDeadLetter('MILLRACE_USER_FUNCTION');
    expect(run).toHaveDeadLetter('MILLRACE_USER_FUNCTION', 'count');
    expect(run).toHaveSucceeded();
  });

  test('inverted, for what it has not', () => {
    expect(run).not.toHaveEmitted('count', { id: 2 });
    expect(run).not.toHaveSunk('empty', { total: 2 });
    expect(run).not.toHaveDeadLetter('MILLRACE_USER_FUNCTION', 'orders');
    expect(run).not.toHaveDeadLetter('MILLRACE_DECODE_FAILED');
    expect(failed).not.toHaveSucceeded();
  });
});

describe('tell, when they fail', () => {
  test('what there is instead', () => {
    expect(messageOf(() => expect(run).toHaveSunk('totals', { total: 3 }))).toBe(
      'expected {"total":3} to be among the messages of topic \'totals\'; there are 2:\n  {"total":1}\n  {"total":2}',
    );
    expect(messageOf(() => expect(run).toHaveSunk('empty', 1))).toBe(
      "expected 1 to be among the messages of topic 'empty'; there are none",
    );
    expect(messageOf(() => expect(run).toHaveDeadLetter('MILLRACE_KEY_TYPE', 'count'))).toBe(
      'expected "MILLRACE_KEY_TYPE" to be among the codes of dead letters of stage \'count\'; there is 1:\n  "MILLRACE_USER_FUNCTION"',
    );
  });

  test('which names there are', () => {
    expect(messageOf(() => expect(run).toHaveSunk('total', 1))).toBe(
      "expected 1 to be among the messages of topic 'total', but the pipeline writes to no such topic, only to totals, empty",
    );
    expect(messageOf(() => expect(run).toHaveEmitted('sum', 1))).toBe(
      "expected 1 to be among the records sent to stage 'sum', but there is no such stage behind another, only count",
    );
  });

  test('what should not have been', () => {
    expect(messageOf(() => expect(run).not.toHaveEmitted('count', { id: 1 }))).toMatch(
      /^expected \{"id":1\} not to be among the records sent to stage 'count'/,
    );
    expect(messageOf(() => expect(run).not.toHaveSucceeded())).toBe('expected failed partitions, but the whole batch succeeded');
    expect(messageOf(() => expect(failed).toHaveSucceeded())).toContain('"orders-0","offset":7');
  });

  test('a name that does not exist, even inverted: it is a mistake in the test', () => {
    expect(messageOf(() => expect(run).not.toHaveSunk('total', 1))).toContain('only to totals, empty');
  });
});
