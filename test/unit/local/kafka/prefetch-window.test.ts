import { beforeEach, describe, expect, test } from '@jest/globals';
import { type EventMessage, MessageRecords } from '../../../../local/emulator/event-records.ts';
import { type EventPart, KafkaEventBuilder } from '../../../../local/emulator/kafka-event-builder.ts';
import { PrefetchWindow } from '../../../../local/kafka/prefetch-window.ts';
import { unpackEvent } from '../../../helpers/unpack-event.ts';

const MIB = 1024 * 1024;

function message(offset: number, bytes = 10): EventMessage {
  const value = Buffer.from(String(offset));
  return { key: null, value, headers: [], offset, timestamp: 1000 + offset, timestampType: 'LOG_APPEND_TIME', bytes };
}

const messages = (...offsets: number[]): MessageRecords => new MessageRecords(offsets.map((offset) => message(offset)));

let calls: string[] = [];
let window: PrefetchWindow;
beforeEach(() => {
  calls = [];
  window = openWindow();
});

function openWindow(stop?: number): PrefetchWindow {
  return new PrefetchWindow(
    {
      pause: () => calls.push('pause'),
      resume: () => calls.push('resume'),
      commit: (_topic, _partition, offset) => calls.push(`commit ${offset}`),
      endOffset: () => Promise.resolve(99),
      committedOffset: () => Promise.resolve(7),
    },
    't',
    2,
    stop,
  );
}

/** Fetched records with nothing behind them. */
function push(records: MessageRecords, highWatermark: number): void {
  window.push(records, records.offsetAt(records.count - 1) + 1, highWatermark);
}

function take(maxRecords = 100): { part: EventPart; offsets: number[] } {
  const event = new KafkaEventBuilder('b:1', 6 * MIB);
  window.addTo(event, maxRecords);
  const { records } = unpackEvent(event.event());
  return { part: event.parts[0] as EventPart, offsets: (records['t-2'] ?? []).map(({ offset }) => offset) };
}

describe('while the partition is ours', () => {
  beforeEach(() => window.grant(5));

  test('gives what was fetched, from where the group stands, over gaps, as Kafka tells it', () => {
    push(messages(3, 4, 5, 6, 9), 12);

    expect(window.backlog()).toEqual({ records: 3, bytes: 30, oldestTime: 1005 });
    expect(take()).toEqual({
      offsets: [5, 6, 9],
      part: { topic: 't', partition: 2, from: 5, to: 10, records: 3, bytes: 30, firstTime: 1005, lastTime: 1009, tenure: 1 },
    });
    expect(window.lag).toBe(7);
  });

  test('gives the same batch again until it is through; then what follows, and has it committed', () => {
    push(messages(5, 6, 7), 8);
    const { part } = take(2);
    expect(take(2).offsets).toEqual([5, 6]);

    window.commit(part, part.to);

    expect(calls).toEqual(['commit 7']);
    expect(take().offsets).toEqual([7]);
    expect(window.read(take().part).map(({ offset }) => offset)).toEqual([7]);
  });

  test('goes on at the offset that a function answered with', () => {
    push(messages(5, 6, 7), 8);
    window.commit(take().part, 6);

    expect(take().offsets).toEqual([6, 7]);
  });

  test('has no lag when nothing but markers is left, and has them committed as well', () => {
    window.push(messages(), 6, 6);
    expect([window.lag, window.backlog(), calls]).toEqual([0, undefined, ['commit 6']]);

    push(messages(6, 7), 9);
    const { part } = take();
    window.push(messages(), 9, 9);
    expect(window.lag).toBe(3);
    window.commit(part, 7);
    expect(window.lag).toBe(2);
    window.commit(part, part.to);

    expect(window.lag).toBe(0);
    expect(calls).toEqual(['commit 6', 'commit 7', 'commit 9']);
  });

  test('takes nothing twice that is fetched again', () => {
    push(messages(5, 6), 8);
    push(messages(5, 6, 7), 8);

    expect(take().offsets).toEqual([5, 6, 7]);
  });

  test('holds the reader back while it is full, until half of it is through', () => {
    push(new MessageRecords([message(5, 2 * MIB), message(6, 2 * MIB)]), 100);
    expect(calls).toEqual([]);
    push(new MessageRecords([message(7, 2 * MIB), message(8, 2 * MIB)]), 100);
    expect(calls).toEqual(['pause']);

    window.commit(take(2).part, 7);
    expect(calls).toEqual(['pause', 'commit 7']);
    window.commit(take(1).part, 8);
    expect(calls).toEqual(['pause', 'commit 7', 'resume', 'commit 8']);
  });

  test('tells of more records and of commits that the cluster knows', async () => {
    const told: string[] = [];
    window.watch(() => told.push('records'));
    const stop = window.watchCommits(() => told.push('commit'));
    push(messages(5), 6);
    await expect(window.committedOffset()).resolves.toBe(5);

    window.acknowledge(6);
    await expect(window.committedOffset()).resolves.toBe(6);
    stop();
    window.acknowledge(7);

    expect(told).toEqual(['records', 'commit']);
  });
});

describe('when another member gets the partition', () => {
  test('nothing is at hand, and a batch under way counts for nothing, not even when the partition comes back', async () => {
    window.grant(0);
    push(messages(0, 1), 2);
    const { part } = take();

    window.revoke();
    push(messages(2), 3);
    expect([window.backlog(), window.lag, window.holds(part), window.read(part)]).toEqual([undefined, 0, false, []]);
    await expect(window.committedOffset()).resolves.toBe(7);

    window.grant(0);
    window.commit(part, part.to);
    push(messages(0, 1), 2);
    expect(calls).toEqual([]);
    expect(take().offsets).toEqual([0, 1]);
  });

  test('a reader that was held back goes on', () => {
    window.grant(0);
    push(new MessageRecords([message(0, 7 * MIB)]), 1);
    window.revoke();
    window.grant(0);

    expect(calls).toEqual(['pause', 'resume']);
  });

  test('whoever waits for commits is reminded to look: nobody tells us of them', () => {
    let reminded = 0;
    window.watchCommits(() => reminded++);
    window.remind();
    expect(reminded).toBe(1);

    window.grant(0);
    window.remind();
    expect(reminded).toBe(2);
  });
});

describe('where its input ends', () => {
  beforeEach(() => {
    window = openWindow(8);
    window.grant(5);
  });

  test('gives nothing from the end on, and fetches no more', () => {
    push(messages(5, 6), 20);
    push(messages(7, 8, 9), 20);

    expect(window.backlog()).toMatchObject({ records: 3, bytes: 30 });
    expect(window.lag).toBe(3);
    const { part, offsets } = take();
    expect(offsets).toEqual([5, 6, 7]);
    expect(window.read(part).map(({ offset }) => offset)).toEqual([5, 6, 7]);
    window.commit(part, part.to);
    expect(calls).toEqual(['pause', 'commit 8']);
    expect(window.backlog()).toBeUndefined();
    expect(window.lag).toBe(0);
  });

  test('is through when all is that stands before the end, though the last offsets are no records', () => {
    push(messages(5, 6), 20);
    window.push(messages(), 9, 20);
    expect(calls).toEqual(['pause']);

    window.commit(take().part, 7);

    expect(calls).toEqual(['pause', 'commit 8']);
  });

  test('is not through before it is known that nothing follows', () => {
    push(messages(5, 6), 20);
    window.commit(take().part, 7);
    expect(calls).toEqual(['commit 7']);

    window.push(messages(), 8, 20);

    expect(calls).toEqual(['commit 7', 'pause', 'commit 8']);
  });

  test('goes on with a batch of which a part is through', () => {
    push(messages(5, 6, 7, 8), 20);
    window.commit(take().part, 6);

    expect(calls).toEqual(['pause', 'commit 6']);
    expect(take().offsets).toEqual([6, 7]);
  });

  test('ends there, wherever the log does', async () => {
    await expect(window.endOffset()).resolves.toBe(8);
    await expect(openWindow(200).endOffset()).resolves.toBe(99);
  });

  test('commits nothing where the group stands behind it', () => {
    window.grant(12);
    push(messages(12), 20);

    expect(calls).toEqual(['pause']);
  });
});
