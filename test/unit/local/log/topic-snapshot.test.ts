import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { TopicMessage } from '../../../../local/kafka/topic-reader.ts';
import { EmbeddedLog } from '../../../../local/log/embedded-log.ts';
import { readTopicFiles } from '../../../../local/log/topic-snapshot.ts';

let dataDir: string;
let log: EmbeddedLog;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  log = new EmbeddedLog({ dataDir });
});
afterEach(async () => {
  await log.close();
  rmSync(dataDir, { recursive: true });
});

function read(topic: string): { messages: TopicMessage[]; ranges: unknown } {
  const messages: TopicMessage[] = [];
  return { ranges: readTopicFiles(dataDir, topic, (message) => messages.push(message)), messages };
}

const value = (size: number, fill: number): Buffer => Buffer.alloc(size, fill);

test('reads all partitions of a log that is open, with what was appended last', async () => {
  log.createTopic('t', 2);
  await log.append('t', 1, [{ key: Buffer.from('k'), value: value(3, 1), headers: [['h', Buffer.from('x')]] }]);
  await log.append('t', 0, [{ key: null, value: null }]);

  const { messages, ranges } = read('t');

  expect(ranges).toEqual([
    { partition: 0, low: 0, high: 1 },
    { partition: 1, low: 0, high: 1 },
  ]);
  expect(messages).toMatchObject([
    { partition: 0, offset: 0, key: null, value: null },
    { partition: 1, offset: 0, value: value(3, 1), headers: [['h', Buffer.from('x')]] },
  ]);
});

test('begins behind what retention has dropped, and goes on over segments', async () => {
  log.createTopic('t', 1, { retentionBytes: 4000 });
  for (let i = 0; i < 20; i++) await log.append('t', 0, [{ key: null, value: value(500, i) }]);
  const { startOffset, endOffset } = log.partition('t', 0);

  const { messages, ranges } = read('t');

  expect(startOffset).toBeGreaterThan(0);
  expect(ranges).toEqual([{ partition: 0, low: startOffset, high: endOffset }]);
  expect(messages.map(({ offset }) => offset)).toEqual(Array.from({ length: endOffset - startOffset }, (_, i) => startOffset + i));
});

test('leaves a torn append out, and does not cut it off', async () => {
  log.createTopic('t', 1);
  await log.append('t', 0, [{ key: null, value: value(3, 1) }]);
  const folder = join(dataDir, 'topics', 't', '0');
  const [file = ''] = readdirSync(folder);
  appendFileSync(join(folder, file), Buffer.from([9, 9, 9]));

  const before = readFileSync(join(folder, file));

  expect(read('t').messages).toHaveLength(1);
  expect(readFileSync(join(folder, file)).equals(before)).toBe(true);
});

test('refuses a topic that is not there', () => {
  expect(() => read('other')).toThrow(expect.objectContaining({ code: 'MILLRACE_TOPIC_MISSING' }));
});
