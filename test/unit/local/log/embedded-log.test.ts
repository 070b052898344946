import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { OutgoingMessage } from '../../../../functions/channels/channel-writer.ts';
import { EmbeddedLog, type EmbeddedLogOptions } from '../../../../local/log/embedded-log.ts';
import { toEncodedBatch, toValueBatch } from '../../../../local/log/message-batch.ts';
import { ManualLocalClock, settle } from '../manual-local-clock.ts';

const ALL = { maxRecords: 1e6, maxBytes: 1e9 };
const message = (value: string): OutgoingMessage => ({ key: null, value: Buffer.from(value) });
const messages = (...values: string[]): OutgoingMessage[] => values.map(message);
const valuesOf = (log: EmbeddedLog, topic = 't', partition = 0, from = 0): string[] =>
  log.read(topic, partition, from, ALL).map(({ value }) => Buffer.from(value ?? []).toString());

describe('in memory', () => {
  let clock: ManualLocalClock;
  let log: EmbeddedLog;

  beforeEach(() => {
    clock = new ManualLocalClock(1000);
    log = new EmbeddedLog({ clock });
    log.createTopic('t', 2);
  });

  test('gives offsets without gaps and log append times that never fall', async () => {
    await log.append('t', 0, messages('a', 'b'));
    await clock.advance(10);
    await log.append('t', 0, messages('c'));
    clock.now = () => 5;
    await log.append('t', 0, messages('d'));

    const records = log.read('t', 0, 0, ALL);
    expect(records.map(({ offset, timestamp }) => [offset, timestamp])).toEqual([
      [0, 1000],
      [1, 1000],
      [2, 1010],
      [3, 1010],
    ]);
    expect([log.endOffset('t', 0), log.endOffset('t', 1)]).toEqual([4, 0]);
  });

  test('reads from an offset, within limits of records and bytes, at least one', async () => {
    await log.append('t', 0, messages('a', 'b', 'c', 'd'));

    const read = (maxRecords: number, maxBytes: number): number => log.read('t', 0, 1, { maxRecords, maxBytes }).length;
    expect([read(2, 1e9), read(100, 1e9), read(100, 1), read(100, 22)]).toEqual([2, 3, 1, 2]);
    expect(log.read('t', 0, 4, ALL)).toEqual([]);
  });

  test('takes batches in every form', async () => {
    await log.append('t', 0, [{ key: Buffer.from('k'), value: Buffer.from('v'), headers: [['h', Buffer.from('x')]] }]);
    const encoded = log
      .partition('t', 0)
      .segmentAt(0)
      .bytes.subarray(20, 20 + 10 + 1 + 1 + 8);
    await log.appendBatch('t', 0, toValueBatch([Buffer.from('1'), Buffer.from('22')]));
    await log.appendBatch('t', 0, toEncodedBatch(1, Buffer.from(encoded)));

    expect(valuesOf(log)).toEqual(['v', '1', '22', 'v']);
    expect(log.read('t', 0, 3, ALL)[0]?.headers.map(([name]) => name)).toEqual(['h']);
  });

  test.each([
    ['cut short', 2, 12],
    ['with bytes behind', 1, 15],
    ['with a count that cannot be', 1e9, 12],
  ])('refuses an encoded batch that is %s', (_, count, length) => {
    const body = Buffer.alloc(length);
    body.writeInt32LE(-1, 0);

    expect(() => toEncodedBatch(count, body)).toThrow(expect.objectContaining({ code: 'MILLRACE_PRODUCE_FAILED' }));
  });

  test('a topic can be asked for again, but not with other partitions', () => {
    log.createTopic('t', 2);

    expect(() => log.createTopic('t', 3)).toThrow(expect.objectContaining({ code: 'MILLRACE_DATA_INVALID' }));
  });

  test.each(['', '.', '..', 'a/b', 'ä', 'x'.repeat(250)])("refuses '%s' as a topic's name", (name) => {
    expect(() => log.createTopic(name, 1)).toThrow(expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID' }));
  });

  test('waitFor resolves when the record is there, and at once if it is', async () => {
    const waiting = log.waitFor('t', 0, 1);
    let isThere = false;
    void waiting.then(() => (isThere = true));
    await log.append('t', 0, messages('a'));
    await settle();
    expect(isThere).toBe(false);

    await log.append('t', 0, messages('b'));
    await waiting;
    await expect(log.waitFor('t', 0, 1)).resolves.toBeUndefined();
  });

  test('waitFor ends with its signal', async () => {
    const abort = new AbortController();
    const waiting = log.waitFor('t', 0, 0, abort.signal);
    abort.abort(new Error('enough'));

    await expect(waiting).rejects.toThrow('enough');
  });

  test('a group goes on at its committed offset, else at the earliest or the latest', async () => {
    await log.append('t', 0, messages('a', 'b', 'c'));
    log.subscribe('g', 't');
    log.subscribe('late', 't', 'latest');
    expect([log.committed('g', 't', 0), log.committed('late', 't', 0)]).toEqual([0, 3]);

    log.commit('g', 't', 0, 2);
    log.subscribe('g', 't');
    expect(log.committed('g', 't', 0)).toBe(2);
  });
});

describe('retention and back-pressure', () => {
  const KIB = 1024;
  const value = 'x'.repeat(1000);
  let log: EmbeddedLog;

  beforeEach(() => {
    log = new EmbeddedLog({ limits: { retentionBytes: 16 * KIB, maxLeadBytes: 16 * KIB } });
    log.createTopic('t', 1);
  });

  const fill = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await log.append('t', 0, messages(value));
  };

  test('a topic that no mapping reads keeps its newest records and never holds back', async () => {
    await fill(100);

    const { startOffset, endOffset, bytes } = log.partition('t', 0);
    expect(endOffset).toBe(100);
    expect(startOffset).toBeGreaterThan(70);
    expect(bytes).toBeLessThanOrEqual(16 * KIB);
    expect(valuesOf(log)).toHaveLength(100 - startOffset);
  });

  test('keeps what the slowest mapping has not committed, and holds appends back until it does, in order', async () => {
    log.subscribe('slow', 't');
    log.subscribe('fast', 't');
    await fill(16);
    log.commit('fast', 't', 0, 16);

    let appended = 0;
    const held = ['a', 'b'].map((text) => log.append('t', 0, messages(text)).then(() => appended++));
    await settle();
    const partition = log.partition('t', 0);
    expect([appended, partition.isHoldingBack, partition.heldBackCount, partition.startOffset]).toEqual([0, true, 2, 0]);

    log.commit('slow', 't', 0, 8);
    await Promise.all(held);
    expect(valuesOf(log, 't', 0, 16)).toEqual(['a', 'b']);
    expect(partition.isHoldingBack).toBe(false);
  });

  test('drops committed records once there are too many bytes, whole segments at a time', async () => {
    log.subscribe('g', 't');
    for (let i = 0; i < 100; i++) {
      await fill(1);
      log.commit('g', 't', 0, i + 1);
    }

    const { startOffset, bytes } = log.partition('t', 0);
    expect(startOffset).toBeGreaterThan(70);
    expect(bytes).toBeLessThanOrEqual(16 * KIB);
  });

  test('one append larger than all limits goes through when everything before it is committed', async () => {
    log.subscribe('g', 't');
    await log.append('t', 0, messages('y'.repeat(100 * KIB)));
    let isDone = false;
    const second = log.append('t', 0, messages('z')).then(() => (isDone = true));
    await settle();
    expect(isDone).toBe(false);

    log.commit('g', 't', 0, 1);
    await second;
    expect(valuesOf(log, 't', 0, 1)).toEqual(['z']);
    expect(log.partition('t', 0).startOffset).toBe(1);
  });

  test('closing fails appends that are held back', async () => {
    log.subscribe('g', 't');
    await fill(16);
    const held = log.append('t', 0, messages('a'));
    const outcome = expect(held).rejects.toMatchObject({ code: 'MILLRACE_PRODUCE_FAILED' });
    await log.close();
    await outcome;
  });
});

describe('on disk', () => {
  let dataDir: string;
  let log: EmbeddedLog;
  const open = (options: EmbeddedLogOptions = {}): EmbeddedLog => (log = new EmbeddedLog({ dataDir, ...options }));
  const partitionDir = (): string => join(dataDir, 'topics', 't', '0');
  const lastFile = (): string => join(partitionDir(), readdirSync(partitionDir()).sort().at(-1) ?? '');

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'millrace-test-'));
    open().createTopic('t', 2);
  });
  afterEach(async () => {
    await log.close();
    rmSync(dataDir, { recursive: true });
  });

  test('the next run finds topics, records, times and committed offsets', async () => {
    await log.append('t', 0, [{ key: Buffer.from('k'), value: null, headers: [['h', Buffer.from('1')]] }]);
    await log.append('t', 0, messages('a', 'b'));
    log.subscribe('g', 't');
    log.commit('g', 't', 0, 1);
    log.commit('g', 't', 0, 2);
    const before = log.read('t', 0, 0, ALL);
    await log.close();

    open();
    expect(log.topicNames()).toEqual(['t']);
    expect(log.read('t', 0, 0, ALL)).toEqual(before);
    log.subscribe('g', 't');
    expect([log.committed('g', 't', 0), log.committed('g', 't', 1), log.endOffset('t', 0)]).toEqual([2, 0, 3]);
    await log.append('t', 0, messages('c'));
    expect(valuesOf(log, 't', 0, 2)).toEqual(['b', 'c']);
  });

  test('a batch that was torn at any byte is left out whole, and the log goes on behind the one before', async () => {
    await log.append('t', 0, messages('a'));
    const whole = statSync(lastFile()).size;
    await log.append('t', 0, messages('b', 'c'));
    await log.close();
    const bytes = readFileSync(lastFile());

    for (let length = whole; length < bytes.length; length++) {
      writeFileSync(lastFile(), bytes.subarray(0, length));
      open();
      expect(valuesOf(log)).toEqual(['a']);
      await log.append('t', 0, messages('d'));
      await log.close();
      open();
      expect(valuesOf(log)).toEqual(['a', 'd']);
      await log.close();
    }
  });

  test('a batch whose bytes changed is left out', async () => {
    await log.append('t', 0, messages('a'));
    await log.append('t', 0, messages('b'));
    await log.close();
    const bytes = readFileSync(lastFile());
    bytes[bytes.length - 3] = 0x21;
    writeFileSync(lastFile(), bytes);

    open();
    expect(valuesOf(log)).toEqual(['a']);
  });

  test('a committed offset whose line was torn counts as the one before', async () => {
    await log.append('t', 0, messages('a', 'b', 'c'));
    log.subscribe('g', 't');
    log.commit('g', 't', 0, 1);
    log.commit('g', 't', 0, 3);
    await log.close();
    const path = join(dataDir, 'offsets.jsonl');
    truncateSync(path, statSync(path).size - 4);

    open().subscribe('g', 't');
    expect(log.committed('g', 't', 0)).toBe(1);
  });

  test('a committed offset beyond the log counts as none', async () => {
    await log.append('t', 0, messages('a'));
    appendFileSync(join(dataDir, 'offsets.jsonl'), '["g","t",0,9]\n');
    await log.close();

    open().subscribe('g', 't');
    expect(log.committed('g', 't', 0)).toBe(0);
  });

  test('keeps only the newest segments in memory, and reads older ones back', async () => {
    await log.close();
    open({ limits: { retentionBytes: 1e9, maxLeadBytes: 1e9 } }).createTopic('large', 1);
    const value = 'v'.repeat(500_000);
    for (let i = 0; i < 24; i++) await log.append('large', 0, messages(`${i}:${value}`));

    const numbers = valuesOf(log, 'large').map((text) => Number(text.split(':')[0]));
    expect(numbers).toEqual(Array.from({ length: 24 }, (_, i) => i));
    await log.close();
    open();
    expect(valuesOf(log, 'large')).toHaveLength(24);
  });

  test('retention deletes files, and the next run goes on at the same offsets', async () => {
    await log.close();
    open({ limits: { retentionBytes: 16_384 } });
    for (let i = 0; i < 100; i++) await log.append('t', 0, messages('x'.repeat(1000)));
    const { startOffset } = log.partition('t', 0);
    expect(startOffset).toBeGreaterThan(70);
    await log.close();

    open();
    expect([log.partition('t', 0).startOffset, log.endOffset('t', 0)]).toEqual([startOffset, 100]);
  });

  test('refuses data of another format', async () => {
    await log.close();
    writeFileSync(join(dataDir, 'topics', 't', 'topic.json'), '{"format":2,"partitions":1,"limits":{}}');

    expect(() => open()).toThrow(expect.objectContaining({ code: 'MILLRACE_DATA_INVALID' }));
    writeFileSync(join(dataDir, 'topics', 't', 'topic.json'), '{"format":1,"partitions":2,"limits":{}}');
    open();
  });
});
