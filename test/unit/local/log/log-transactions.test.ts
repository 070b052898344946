import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { encodeParts } from '../../../../functions/channels/embedded/transaction-layout.ts';
import type { TopicAppend } from '../../../../functions/channels/transactional-log.ts';
import { EmbeddedLog } from '../../../../local/log/embedded-log.ts';
import type { LogRecord } from '../../../../local/log/segment.ts';

let dataDir = '';

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'millrace-transactions-'));
});

afterEach(() => {
  rmSync(dataDir, { recursive: true, force: true });
});

function open(): EmbeddedLog {
  const log = new EmbeddedLog({ dataDir });
  log.createTopic('in', 1);
  log.createTopic('out', 2);
  return log;
}

const appends: readonly TopicAppend[] = [0, 1].map((partition) => ({
  topic: 'out',
  partition,
  messages: ['a', 'b', 'c'].map((text) => ({
    key: Buffer.from(text),
    value: Buffer.from(`${text}${partition}`),
    headers: [['h', Buffer.from('1')]],
  })),
}));

function commit(log: EmbeddedLog, offset: number, list = appends): void {
  const { epoch } = log.transactions.openProducer('p', 'in', 0);
  log.transactions.commit({ id: 'p', epoch, topic: 'in', partition: 0, offset, parts: encodeParts(list) });
}

function valuesIn(log: EmbeddedLog): string[][] {
  const texts = (records: readonly LogRecord[]): string[] => records.map(({ value }) => String(value && Buffer.from(value)));
  return [0, 1].map((partition) => texts(log.read('out', partition, 0, { maxRecords: 100, maxBytes: Infinity })));
}

const ALL = [
  ['a0', 'b0', 'c0'],
  ['a1', 'b1', 'c1'],
];

test('keeps messages and the offset over a restart, and applies nothing twice', async () => {
  const log = open();
  commit(log, 7);
  await log.append('out', 0, [{ key: null, value: Buffer.from('later') }]);
  await log.close();

  const again = open();
  expect(valuesIn(again)).toEqual([[...(ALL[0] ?? []), 'later'], ALL[1]]);
  expect(again.transactions.openProducer('p', 'in', 0)).toEqual({ epoch: 1, committed: 7 });
  await again.close();
});

test.each([
  ['before the first append', [0, 0]],
  ['between two partitions', [3, 0]],
  ['within a partition', [2, 0]],
  ['before the offset', [3, 3]],
])('finishes a transaction that a killed process had begun: %s', async (_, counts) => {
  const whole = open();
  commit(whole, 7);
  await whole.close();
  const note = readFileSync(join(dataDir, 'transaction'));
  rmSync(dataDir, { recursive: true });

  const log = open();
  for (const [partition, count] of counts.entries()) await log.append('out', partition, appends[partition]?.messages.slice(0, count) ?? []);
  await log.close();
  writeFileSync(join(dataDir, 'transaction'), note);

  const again = open();
  expect(valuesIn(again)).toEqual(ALL);
  expect(again.transactions.openProducer('p', 'in', 0).committed).toBe(7);
  await again.close();
});

test('takes a note that was cut short for none: its transaction had not begun', async () => {
  const whole = open();
  commit(whole, 7);
  await whole.close();
  const note = readFileSync(join(dataDir, 'transaction'));
  rmSync(dataDir, { recursive: true });
  const log = open();
  await log.close();
  for (const length of [3, 11, 20, note.length - 1]) {
    writeFileSync(join(dataDir, 'transaction'), note.subarray(0, length));

    const again = open();
    expect(valuesIn(again)).toEqual([[], []]);
    expect(again.transactions.openProducer('p', 'in', 0).committed).toBeUndefined();
    await again.close();
  }
});

test('a longer note does not shine through a shorter one', async () => {
  const log = open();
  commit(log, 7);
  commit(log, 8, [{ topic: 'out', partition: 1, messages: [{ key: null, value: Buffer.from('x') }] }]);
  await log.close();

  const again = open();
  expect(valuesIn(again)).toEqual([ALL[0], [...(ALL[1] ?? []), 'x']]);
  expect(again.transactions.openProducer('p', 'in', 0).committed).toBe(8);
  await again.close();
});

test('appends nothing if one of the messages is too large, or a partition is missing', () => {
  const log = new EmbeddedLog();
  log.createTopic('in', 1);
  log.createTopic('out', 2);
  const large = { topic: 'out', partition: 1, messages: [{ key: null, value: Buffer.alloc(2_000_000) }] };
  const lost = { topic: 'out', partition: 2, messages: [{ key: null, value: Buffer.from('x') }] };

  expect(() => commit(log, 7, [...appends.slice(0, 1), large])).toThrow(expect.objectContaining({ code: 'MILLRACE_MESSAGE_TOO_LARGE' }));
  expect(() => commit(log, 7, [...appends.slice(0, 1), lost])).toThrow(expect.objectContaining({ code: 'MILLRACE_TOPIC_MISSING' }));
  expect(valuesIn(log)).toEqual([[], []]);
  expect(log.transactions.openProducer('p', 'in', 0).committed).toBeUndefined();
});

test('shuts out an older producer', () => {
  const log = open();
  const old = log.transactions.openProducer('p', 'in', 0);
  log.transactions.openProducer('p', 'in', 0);

  const late = (): void => {
    log.transactions.commit({ id: 'p', epoch: old.epoch, topic: 'in', partition: 0, offset: 1, parts: encodeParts(appends) });
  };
  expect(late).toThrow(expect.objectContaining({ code: 'MILLRACE_FENCED' }));
  expect(existsSync(join(dataDir, 'transaction'))).toBe(true);
  expect(valuesIn(log)).toEqual([[], []]);
});
