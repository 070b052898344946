import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Slots } from '../../../../local/slots.ts';
import { settle } from '../manual-local-clock.ts';
import { MappingDriver } from './mapping-driver.ts';

let driver: MappingDriver;

beforeEach(() => {
  driver = new MappingDriver();
});
afterEach(() => driver.close());

describe('batches', () => {
  test("the event is that of AWS's self-managed Kafka", async () => {
    await driver.start();
    await driver.log.append('t', 1, [
      {
        key: Buffer.from('k'),
        value: Buffer.from('{"a":1}'),
        headers: [
          ['trace "ä"', Uint8Array.of(0, 200)],
          ['x', Uint8Array.of()],
        ],
      },
    ]);
    await driver.log.append('t', 1, [{ key: null, value: null }]);
    await driver.last.answer();
    await settle();

    expect(driver.calls[0]?.event).toEqual({
      eventSource: 'SelfManagedKafka',
      bootstrapServers: 'embedded:9092',
      records: {
        't-1': [
          {
            topic: 't',
            partition: 1,
            offset: 0,
            timestamp: driver.clock.now(),
            timestampType: 'LOG_APPEND_TIME',
            key: 'aw==',
            value: 'eyJhIjoxfQ==',
            headers: [{ 'trace "ä"': [0, 200] }, { x: [] }],
          },
          {
            topic: 't',
            partition: 1,
            offset: 1,
            timestamp: driver.clock.now(),
            timestampType: 'LOG_APPEND_TIME',
            value: null,
            headers: [],
          },
        ],
      },
    });
  });

  test('in order, one at a time per partition; the offset is committed after each', async () => {
    await driver.start({ batchSize: 2 });
    await driver.append(0, 'a', 'b', 'c');
    expect(driver.calls.map(({ offsets }) => offsets)).toEqual([['t-0:0,1']]);
    expect(driver.committed()).toEqual([0, 0]);

    await driver.last.answer();
    expect(driver.committed()).toEqual([2, 0]);
    expect(driver.last.offsets).toEqual(['t-0:2']);
  });

  test('partitions do not wait for each other', async () => {
    await driver.start();
    await driver.append(0, 'a');
    await driver.append(1, 'b');

    expect(driver.calls.map(({ offsets }) => offsets)).toEqual([['t-0:0'], ['t-1:0']]);
  });

  test('wait up to the window, counted from the first record, for more records', async () => {
    await driver.start({ windowMs: 100, batchSize: 3 });
    await driver.append(0, 'a');
    await driver.clock.advance(60);
    await driver.append(0, 'b');
    await driver.clock.advance(39);
    expect(driver.calls).toHaveLength(0);

    await driver.clock.advance(1);
    expect(driver.last.offsets).toEqual(['t-0:0,1']);
  });

  test('do not wait when they are full, nor for records that have waited long enough', async () => {
    await driver.start({ windowMs: 100, batchSize: 2 });
    await driver.append(0, 'a', 'b', 'c');
    expect(driver.last.offsets).toEqual(['t-0:0,1']);

    await driver.clock.advance(100);
    await driver.last.answer();
    expect(driver.last.offsets).toEqual(['t-0:2']);
  });

  test('do not wait when nothing more is to be expected', async () => {
    await driver.start({ windowMs: 1000 });
    await driver.append(0, 'a');
    driver.mapping.hurry();
    await settle();

    expect(driver.last.offsets).toEqual(['t-0:0']);
  });

  test('hold at most 6 MB of payload, however many records there are', async () => {
    await driver.start({ batchSize: 10_000, windowMs: 1000 });
    const value = 'x'.repeat(1_000_000);
    await driver.append(0, value, value, value, value);
    await driver.append(0, value, value);

    expect(driver.last.offsets).toEqual(['t-0:0,1,2,3']);
    expect(JSON.stringify(driver.last.event).length).toBeLessThanOrEqual(6_291_456);
    await driver.last.answer();
    await driver.clock.advance(1000);
    expect(driver.last.offsets).toEqual(['t-0:4,5']);
  });

  test('are filled to the last byte that fits', async () => {
    await driver.append(0, 'a', 'b');
    await driver.start();
    const length = JSON.stringify(driver.last.event).length;
    await driver.last.answer();
    await driver.mapping.close();

    for (const [maxPayloadBytes, offsets] of [
      [length, 't-0:0,1'],
      [length - 1, 't-0:0'],
    ] as const) {
      await driver.start({ maxPayloadBytes, group: `g${maxPayloadBytes}` });
      expect(driver.last.offsets).toEqual([offsets]);
      const closing = driver.mapping.close();
      await driver.last.answer();
      await closing;
    }
  });

  test('a mapping that mixes packs several partitions into one event', async () => {
    await driver.append(0, 'a', 'b', 'c');
    await driver.append(1, 'd', 'e');
    await driver.start({ mixPartitions: true, batchSize: 4 });
    expect(driver.last.offsets).toEqual(['t-0:0,1,2', 't-1:0']);

    await driver.last.answer();
    expect(driver.committed()).toEqual([3, 1]);
    expect(driver.last.offsets).toEqual(['t-1:1']);
  });

  test('begin where the group stands', async () => {
    await driver.append(0, 'a', 'b', 'c');
    driver.log.subscribe('g', 't');
    driver.log.commit('g', 't', 0, 2);
    await driver.start();

    expect(driver.last.offsets).toEqual(['t-0:2']);
  });

  test('begin at the end of the log with startingPosition latest', async () => {
    await driver.append(0, 'a');
    await driver.start({ startingPosition: 'latest' });
    await driver.append(0, 'b');

    expect(driver.calls.map(({ offsets }) => offsets)).toEqual([['t-0:1']]);
  });
});

describe('failures', () => {
  test('the whole batch comes again, with longer and longer waits, until it succeeds; nothing behind it is delivered', async () => {
    await driver.start({ batchSize: 1 });
    await driver.append(0, 'a', 'b');
    for (const wait of [10, 20, 40, 40]) {
      await driver.last.fail();
      const before = driver.calls.length;
      await driver.clock.advance(wait - 1);
      expect(driver.calls).toHaveLength(before);
      await driver.clock.advance(1);
      expect(driver.last.offsets).toEqual(['t-0:0']);
    }
    await driver.last.answer();

    expect(driver.last.offsets).toEqual(['t-0:1']);
    expect(driver.mapping.stats).toMatchObject({ batches: 1, retries: 4, records: 1, lastFailure: 'Error: no' });
  });

  test('other partitions go on meanwhile', async () => {
    await driver.start();
    await driver.append(0, 'a');
    await driver.last.fail();
    await driver.append(1, 'b');

    expect(driver.last.offsets).toEqual(['t-1:0']);
  });

  test('a throttled batch comes again and counts as no retry', async () => {
    await driver.start();
    await driver.append(0, 'a');
    await driver.last.throttle();
    await driver.clock.advance(10);
    await driver.last.answer();

    expect(driver.committed()).toEqual([1, 0]);
    expect(driver.mapping.stats).toMatchObject({ throttles: 1, retries: 0, batches: 1 });
  });

  test('after maxRetries the batch goes to the on-failure topic with where it came from, and the mapping goes on', async () => {
    driver.log.createTopic('failed', 1);
    await driver.start({ maxRetries: 1, onFailureTopic: 'failed', batchSize: 1 });
    await driver.log.append('t', 0, [{ key: Buffer.from('k'), value: Buffer.from('a'), headers: [['h', Buffer.from('1')]] }]);
    await driver.append(0, 'b');
    await driver.last.fail();
    await driver.clock.advance(10);
    await driver.last.fail('still');
    await settle();

    const [record] = driver.log.read('failed', 0, 0, { maxRecords: 9, maxBytes: 1e6 });
    expect([Buffer.from(record?.key ?? []).toString(), Buffer.from(record?.value ?? []).toString()]).toEqual(['k', 'a']);
    expect(record?.headers.map(([name, value]) => `${name}=${Buffer.from(value).toString()}`)).toEqual([
      'h=1',
      'millrace-topic=t',
      'millrace-partition=0',
      'millrace-offset=0',
      'millrace-error=Error: still',
    ]);
    expect(driver.mapping.stats).toMatchObject({ givenUp: 1, retries: 1 });
    expect(driver.last.offsets).toEqual(['t-0:1']);
  });
});

describe('control', () => {
  test('a paused mapping begins nothing, not even a retry; what is in flight goes on', async () => {
    await driver.start({ batchSize: 1 });
    await driver.append(0, 'a', 'b');
    await driver.append(1, 'c');
    driver.mapping.pause();
    await driver.calls[0]?.answer();
    await driver.calls[1]?.fail();
    await driver.clock.advance(100);
    expect(driver.calls).toHaveLength(2);
    expect([driver.mapping.state, driver.committed()]).toEqual(['paused', [1, 0]]);

    driver.mapping.resume();
    await settle();
    expect(
      driver.calls
        .slice(2)
        .map(({ offsets }) => offsets[0])
        .sort(),
    ).toEqual(['t-0:1', 't-1:0']);
  });

  test('close waits for what is in flight and commits it, and gives up a batch that is being retried', async () => {
    await driver.start();
    await driver.append(0, 'a');
    await driver.append(1, 'b');
    await driver.calls[1]?.fail();
    let isClosed = false;
    const closing = driver.mapping.close().then(() => (isClosed = true));
    await settle();
    expect(isClosed).toBe(false);

    await driver.calls[0]?.answer();
    await closing;
    expect(driver.committed()).toEqual([1, 0]);
  });

  test('tells how many messages are not committed', async () => {
    await driver.start();
    await driver.append(0, 'a', 'b');
    await driver.append(1, 'c');
    expect(driver.mapping.lag).toBe(3);

    await driver.calls[0]?.answer();
    expect(driver.mapping.lag).toBe(1);
  });

  test('invocations wait for slots', async () => {
    await driver.start({ slots: new Slots(1) });
    await driver.append(0, 'a');
    await driver.append(1, 'b');
    expect(driver.calls).toHaveLength(1);

    await driver.last.answer();
    expect(driver.calls.map(({ offsets }) => offsets[0])).toEqual(['t-0:0', 't-1:0']);
  });
});
