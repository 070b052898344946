import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { contentsOf } from '../../../local/embedded-harness-log.ts';
import { EmbeddedLog } from '../../../local/log/embedded-log.ts';
import { describeResults } from '../../../local/results.ts';

let log: EmbeddedLog;
beforeEach(() => {
  log = new EmbeddedLog();
  log.createTopic('totals', 2);
  log.createTopic('dlq', 1);
});
afterEach(() => log.close());

const bytes = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

async function put(key: string | null, value: unknown, partition = 0): Promise<void> {
  await log.append('totals', partition, [{ key: key === null ? null : bytes(key), value: bytes(value) }]);
}

async function bury(code: string, error: string, value: string | Buffer): Promise<void> {
  const headers = Object.entries({ 'millrace-code': code, 'millrace-stage': 'parse', 'millrace-error': error });
  await log.append('dlq', 0, [
    { key: null, value: Buffer.from(value), headers: headers.map(([name, text]) => [name, bytes(text)] as const) },
  ]);
}

const describeIt = (): Promise<string> =>
  describeResults((topic) => Promise.resolve(contentsOf(log, topic)), { sinkTopics: ['totals'], deadLetterTopic: 'dlq' });

test('shows the last message of each key as a row, keys in their natural order', async () => {
  await put('b10', { name: 'b10', count: 1, mean: 0.5 });
  await put('b9', { name: 'b9', count: 2, mean: 1 / 3 }, 1);
  await put('b10', { name: 'b10', count: 12, mean: 2 });

  expect(await describeIt()).toBe(`
topic totals: 3 messages; the last of each of 2 keys
  name  count  mean
  b9        2  0.33
  b10      12     2
`);
});

test('shows other values beside their key', async () => {
  await put('a', 'plain text');
  await put('b', [1, 2]);

  expect(await describeIt()).toContain('  key  value\n  a    plain text\n  b    [1,2]\n');
});

test('counts messages that have no key', async () => {
  await put(null, { a: 1 });

  expect(await describeIt()).toBe('\ntopic totals: 1 messages, none with a key\n');
});

test('shows twenty rows, and counts the others', async () => {
  for (let i = 0; i < 25; i++) await put(`k${i}`, { k: i });

  expect((await describeIt()).split('\n')).toHaveLength(25);
  expect(await describeIt()).toContain('  … and 5 more keys\n');
});

test('shows why records went to dead letters: each code of each stage with an example, the most frequent first', async () => {
  await bury('MILLRACE_USER_FUNCTION', 'too hot', Buffer.from([1, 0x41, 255]));
  await bury('MILLRACE_DECODE_FAILED', 'no JSON at 5', '{"a":');
  await bury('MILLRACE_DECODE_FAILED', 'no JSON at 1', '[');

  expect(await describeIt()).toContain(`
dead letters in topic dlq: 3
  2 × MILLRACE_DECODE_FAILED in stage parse, for example: no JSON at 5
      first: {"a":
  1 × MILLRACE_USER_FUNCTION in stage parse: too hot
      first: ·A·
`);
});

test('shows a few kinds of dead letters, and so much of a value', async () => {
  for (let i = 0; i < 9; i++) await bury(`CODE_${i}`, 'reason', 'x'.repeat(500));

  expect(await describeIt()).toContain('  … and 4 of other kinds\n');
  expect(await describeIt()).toContain(`first: ${'x'.repeat(100)}…\n`);
});
