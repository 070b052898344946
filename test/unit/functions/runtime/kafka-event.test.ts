import { describe, expect, test } from '@jest/globals';
import { parseEvent } from '../../../../functions/runtime/kafka-event.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const record = (offset: number, fields: object = {}): object => ({
  topic: 'orders',
  partition: 1,
  offset,
  timestamp: 1_700_000_000_000 + offset,
  timestampType: 'LOG_APPEND_TIME',
  key: base64('k'),
  value: base64(`v${offset}`),
  headers: [{ trace: [97, -1, 255] }],
  ...fields,
});

const event = (records: Record<string, unknown>, eventSource: unknown = 'SelfManagedKafka'): unknown => ({
  eventSource,
  bootstrapServers: 'b-1:9092',
  records,
});

describe('takes', () => {
  test.each(['aws:kafka', 'SelfManagedKafka', 'aws:SelfManagedKafka'])('events of %s', (source) => {
    expect(parseEvent(event({ 'orders-1': [record(0)] }, source), 1)).toHaveLength(1);
  });

  test('several partitions of one event apart, in order', () => {
    const batches = parseEvent(event({ 'orders-1': [record(3), record(5)], 'orders-0': [record(7, { partition: 0 })] }), 1);

    expect(batches.map(({ topic, partition, messages }) => [topic, partition, messages.map(({ offset }) => offset)])).toEqual([
      ['orders', 1, [3, 5]],
      ['orders', 0, [7]],
    ]);
  });

  test('base64 keys and values, and tombstones', () => {
    const [batch] = parseEvent(event({ 'orders-1': [record(0), record(1, { value: null, key: undefined })] }), 1);

    const [first, second] = batch?.messages ?? [];
    expect(Buffer.from(first?.value ?? []).toString()).toBe('v0');
    expect(Buffer.from(first?.key ?? []).toString()).toBe('k');
    expect(second).toMatchObject({ value: null, key: null });
  });

  test('headers in their order, those of one name too, with signed and unsigned bytes', () => {
    const headers = [{ a: [97, -1] }, { b: [] }, { a: [255] }];

    const [batch] = parseEvent(event({ 'orders-1': [record(0, { headers }), record(1, { headers: undefined })] }), 1);

    const [first, second] = batch?.messages ?? [];
    expect(first?.headers.map(([name, bytes]) => [name, [...bytes]])).toEqual([
      ['a', [97, 255]],
      ['b', []],
      ['a', [255]],
    ]);
    expect(second?.headers).toEqual([]);
  });

  test.each([[[null]], ['none'], [[{ a: 'text' }]], [[{ a: [1.5] }]]])(
    'headers that are none (%j) only fail who asks for them',
    (headers) => {
      const [batch] = parseEvent(event({ 'orders-1': [record(0, { headers })] }), 1);

      expect(() => batch?.messages[0]?.headers).toThrow(expect.objectContaining({ code: 'MILLRACE_DECODE_FAILED' }));
    },
  );

  test('for a dead letter all headers that are any, in order, but no replay', () => {
    const headers = [{ a: [48, -29] }, null, { b: 'no bytes' }, { a: [50], c: [] }, { 'millrace-replay': [1] }, { d: [1.5] }];

    const [batch] = parseEvent(
      event({ 'orders-1': [record(0, { headers }), record(1, { headers: 'none' }), record(2, { headers: undefined })] }),
      1,
    );

    expect(batch?.messages.map(({ keptHeaders }) => keptHeaders)).toEqual([
      [
        ['a', Uint8Array.of(48, 227)],
        ['a', Uint8Array.of(50)],
        ['c', new Uint8Array()],
      ],
      [],
      [],
    ]);
  });

  test('a partition given as a string, as in a sample of AWS', () => {
    expect(parseEvent(event({ 'orders-1': [record(0, { partition: '1' })] }), 1)[0]?.partition).toBe(1);
  });

  test('only the time that the broker set as log time', () => {
    const [batch] = parseEvent(event({ 'orders-1': [record(0), record(1, { timestampType: 'CREATE_TIME' })] }), 1);

    expect(batch?.messages.map(({ isLogTime }) => isLogTime)).toEqual([true, false]);
  });

  test('the end of input of its own generation', () => {
    const end = { eventSource: 'millrace:end', generation: 2, partitions: [{ topic: 'orders', partition: 0, offset: 9 }] };

    expect(parseEvent(end, 2)).toEqual([
      { topic: 'orders', partition: 0, messages: [expect.objectContaining({ offset: 9, end: true, value: null })] },
    ]);
    expect(() => parseEvent(end, 3)).toThrow(expect.objectContaining({ code: 'MILLRACE_GENERATION_REFUSED' }));
  });
});

describe('refuses', () => {
  test.each<[string, unknown, RegExp]>([
    ['an SQS event', { Records: [{ eventSource: 'aws:sqs' }] }, /comes from 'aws:sqs'/],
    ['an SNS event', { Records: [{ EventSource: 'aws:sns' }] }, /comes from 'aws:sns'/],
    ['a scheduled event', { source: 'aws.events' }, /comes from 'aws.events'/],
    ['an unknown event', {}, /has no eventSource/],
  ])('%s', (_, foreign, message) => {
    const parse = (): unknown => parseEvent(foreign, 1);
    expect(parse).toThrow(expect.objectContaining({ code: 'MILLRACE_EVENT_FOREIGN' }));
    expect(parse).toThrow(message);
  });

  test.each<[string, unknown]>([
    ['text', 'hello'],
    ['null', null],
    ['records as a list', event([] as never)],
    ['a partition that is no list', event({ 'orders-1': {} })],
    ['a record that is none', event({ 'orders-1': [7] })],
    ['a negative offset', event({ 'orders-1': [record(-1)] })],
    ['offsets that do not rise', event({ 'orders-1': [record(2), record(2)] })],
    ['a missing timestamp', event({ 'orders-1': [record(0, { timestamp: undefined })] })],
    ['a value that is no text', event({ 'orders-1': [record(0, { value: 7 })] })],
    ['a missing topic', event({ 'orders-1': [record(0, { topic: undefined })] })],
    ['a partition that no number is', event({ 'orders-1': [record(0, { partition: null })] })],
    ['a partition that cannot become a number', event({ 'orders-1': [record(0, { partition: { toString: 1, valueOf: 1 } })] })],
    ['records of two partitions in one list', event({ 'orders-1': [record(0), record(1, { partition: 2 })] })],
    ['a timestamp beyond all numbers', event({ 'orders-1': [record(0, { timestamp: Infinity })] })],
    ['an end of nothing', { eventSource: 'millrace:end', generation: 1, partitions: [null] }],
    ['an end without offset', { eventSource: 'millrace:end', generation: 1, partitions: [{ topic: 'orders', partition: 0 }] }],
  ])('%s', (_, wrong) => {
    expect(() => parseEvent(wrong, 1)).toThrow(expect.objectContaining({ code: 'MILLRACE_EVENT_INVALID' }));
  });
});
