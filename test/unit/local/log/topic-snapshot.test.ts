import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { TopicMessage } from '../../../../local/kafka/topic-reader.ts';
import { EmbeddedLog } from '../../../../local/log/embedded-log.ts';
import { readTopicFiles, readTopicMessage } from '../../../../local/log/topic-snapshot.ts';

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

describe('one message', () => {
  test('is found in whatever segment it is, and not where retention or the end is', async () => {
    log.createTopic('t', 2, { retentionBytes: 4000 });
    for (let i = 0; i < 20; i++) await log.append('t', 1, [{ key: null, value: value(500, i) }]);
    const { startOffset: low, endOffset: high } = log.partition('t', 1);
    const found = Array.from({ length: high + 2 }, (_, offset) => readTopicMessage(dataDir, 't', 1, offset));

    expect(low).toBeGreaterThan(0);
    expect(found.map(({ message }) => message?.value?.[0])).toEqual(
      Array.from({ length: high + 2 }, (_, offset) => (offset >= low && offset < high ? offset : undefined)),
    );
    expect(found.every(({ message }, offset) => message === undefined || (message.partition === 1 && message.offset === offset))).toBe(
      true,
    );
    expect(new Set(found.map(({ range }) => JSON.stringify(range)))).toEqual(new Set([JSON.stringify({ partition: 1, low, high })]));
  });

  test('is not found in an empty partition, or one that is not there', () => {
    log.createTopic('t', 2);

    expect(readTopicMessage(dataDir, 't', 1, 0)).toEqual({ message: undefined, range: { partition: 1, low: 0, high: 0 } });
    expect(readTopicMessage(dataDir, 't', 2, 0)).toEqual({ message: undefined, range: undefined });
    expect(() => readTopicMessage(dataDir, 'other', 0, 0)).toThrow(expect.objectContaining({ code: 'MILLRACE_TOPIC_MISSING' }));
  });
});
