import { expect, test } from '@jest/globals';
import { string } from '../../../../../functions/codec/string.ts';
import { kafkaSource } from '../../../../../functions/connectors/kafka/source.ts';

test('describes one topic, or several', () => {
  const value = string();

  expect(kafkaSource({ topic: 'a', value })).toEqual({ kind: 'topic', topics: ['a'], value, keyedByRecordKey: false, start: 'earliest' });
  expect(kafkaSource({ topics: ['a', 'b.c'], value, keyedByRecordKey: true })).toMatchObject({
    topics: ['a', 'b.c'],
    keyedByRecordKey: true,
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
])('refuses %p', (options, message) => {
  expect(() => kafkaSource({ value: string(), ...options } as never)).toThrow(
    expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID', message: expect.stringContaining(message) }),
  );
});
