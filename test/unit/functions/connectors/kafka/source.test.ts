import { describe, expect, test } from '@jest/globals';
import { json } from '../../../../../functions/codec/json.ts';
import { string } from '../../../../../functions/codec/string.ts';
import { kafkaSource } from '../../../../../functions/connectors/kafka/source.ts';

test('describes one topic, or several', () => {
  const value = string();

  expect(kafkaSource({ topic: 'a', value })).toEqual({
    kind: 'topic',
    topics: ['a'],
    value,
    decode: expect.any(Function),
    keyedByRecordKey: false,
    start: 'earliest',
  });
  expect(kafkaSource({ topics: ['a', 'b.c'], value })).toMatchObject({ topics: ['a', 'b.c'], keyedByRecordKey: false });
  expect(kafkaSource({ topic: 'a', value, keyedByRecordKey: true })).toMatchObject({ keyedByRecordKey: true });
});

test('describes topics by a pattern, whose topics are looked up later', () => {
  expect(kafkaSource({ pattern: /a-.*/gi, value: string() })).toMatchObject({ topics: [], pattern: /a-.*/i });
  expect(kafkaSource({ pattern: 'a|b', value: string(), start: { offsets: { b: { 0: 1 } } } })).toMatchObject({ pattern: /a|b/ });
});

const place = { topic: 't', partition: 3 };
const message = { offset: 7, time: 5, key: Buffer.from('k'), value: Buffer.from('v'), headers: [['h', Buffer.from('x')]] } as const;

test('gives values alone, or with a codec for keys all of a message', () => {
  expect(kafkaSource({ topic: 't', value: string() }).decode(message, place)).toBe('v');
  const { decode } = kafkaSource({ topic: 't', value: string(), key: string() });
  const { headers } = message;
  expect(decode(message, place)).toEqual({ key: 'k', value: 'v', headers, topic: 't', partition: 3, offset: 7, timestamp: 5 });
  expect(decode({ ...message, key: null }, place)).toMatchObject({ key: null, value: 'v' });
});

test('a key that its codec refuses fails the record', () => {
  const { decode } = kafkaSource({ topic: 't', value: string(), key: json() });
  expect(() => decode(message, place)).toThrow(expect.objectContaining({ code: 'MILLRACE_DECODE_FAILED' }));
});

test('takes properties under the names of Kafka', () => {
  const properties = { 'group.id': 'readers', 'auto.offset.reset': 'latest', 'max.poll.records': '20', 'fetch.max.wait.ms': 0 };

  expect(kafkaSource({ topic: 'a', value: string(), properties })).toMatchObject({
    group: 'readers',
    start: 'latest',
    batchSize: 20,
    batchWindowMs: 0,
  });
});

test.each(['latest', { timestamp: 1_700_000_000_000 }, { offsets: { a: { 0: 5, 3: 0 } } }] as const)('begins at %p', (start) => {
  expect(kafkaSource({ topic: 'a', value: string(), start }).start).toEqual(start);
});

test.each([
  [{ topic: 'a b' }, 'topic "a b" is no name for a topic'],
  [{ topic: 'x'.repeat(250) }, 'is no name'],
  [{ topic: '..' }, 'is no name'],
  [{}, 'topic undefined is no name'],
  [{ topics: [] }, 'give each topic once, at least one'],
  [{ topics: ['a', 'a'] }, 'topics [a, a]'],
  [{ topic: 'a', value: undefined }, 'kafka.source() needs a codec'],
  [{ topic: 'a', start: 'beginning' }, 'start is "beginning"'],
  [{ topic: 'a', start: { timestamp: '2001-01-01' } }, 'start is'],
  [{ topic: 'a', start: { timestamp: 1, offsets: {} } }, 'start is'],
  [{ topic: 'a', start: { offsets: { b: { 0: 1 } } } }, 'with topics of a'],
  [{ topic: 'a', start: { offsets: { a: { 0: -1 } } } }, 'start is'],
  [{ topic: 'a', start: { offsets: { a: { x: 1 } } } }, 'start is'],
  [{ pattern: /a/, start: { offsets: { ab: { 0: 1 } } } }, 'with topics of /a/'],
  [{ pattern: '(' }, 'pattern is (: give a regular expression'],
  [{ pattern: '' }, 'pattern is'],
  [{ topic: 'a', pattern: /a/ }, 'several of topic, topics and pattern'],
  [{ topic: 'a', topics: ['a'] }, 'several of topic, topics and pattern'],
  [{ pattern: /a/, keyedByRecordKey: true }, 'keyedByRecordKey is for a single topic'],
  [{ topics: ['a', 'b'], keyedByRecordKey: true }, 'keyedByRecordKey is for a single topic'],
  [{ topic: 'a', key: {} }, 'key of kafka.source() needs a codec'],
  [{ topic: 'a', group: '' }, 'group is ""'],
  [{ topic: 'a', group: 'a b' }, 'group is "a b"'],
  [{ topic: 'a', group: 'a', properties: { 'group.id': 'a' } }, "both group and the property 'group.id'"],
  [{ topic: 'a', start: 'latest', properties: { 'auto.offset.reset': 'earliest' } }, 'both start and the property'],
  [{ topic: 'a', properties: [] }, 'properties must be an object'],
  [
    { topic: 'a', properties: { 'session.timeout.ms': 1 } },
    "property 'session.timeout.ms' means nothing here: known are auto.offset.reset, fetch.max.wait.ms, group.id, max.poll.records",
  ],
  [{ topic: 'a', properties: { toString: 1 } }, "property 'toString' means nothing here"],
  [{ topic: 'a', properties: { 'auto.offset.reset': 'none' } }, "give 'earliest' or 'latest'"],
  [{ topic: 'a', properties: { 'max.poll.records': 0 } }, 'give a whole number from 1 to 10000'],
  [{ topic: 'a', properties: { 'max.poll.records': '1e3' } }, 'give a whole number from 1 to 10000'],
  [{ topic: 'a', properties: { 'fetch.max.wait.ms': 300_001 } }, 'give a whole number from 0 to 300000'],
  [{ topic: 'a', properties: { 'group.id': 5 } }, 'give a text'],
])('refuses %p', (options, message) => {
  expect(() => kafkaSource({ value: string(), ...options } as never)).toThrow(
    expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID', message: expect.stringContaining(message) }),
  );
});

describe('an end', () => {
  test.each(['latest', { timestamp: 5 }, { offsets: { orders: { 0: 7 } } }] as const)('can be %j', (bounded) => {
    expect(kafkaSource({ topic: 'orders', value: json(), bounded }).stop).toEqual(bounded);
  });

  test.each(['earliest', '', null, { timestamp: -1 }, { offsets: { others: { 0: 7 } } }])('is not %j', (bounded) => {
    expect(() => kafkaSource({ topic: 'orders', value: json(), bounded: bounded as never })).toThrow(
      expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID', message: expect.stringContaining('bounded is') }),
    );
  });
});
