import { describe, expect, test } from '@jest/globals';
import { kafkaEvent } from '../../../../local/testing.ts';

test("has the shape of AWS's sample of a self-managed cluster", () => {
  const event = kafkaEvent({
    topic: 'mytopic',
    timestampType: 'CREATE_TIME',
    records: [
      {
        key: 'recordKey',
        value: 'Hello, this is a test.',
        offset: 15,
        timestamp: 1_545_084_650_987,
        headers: { headerKey: 'headerValue' },
      },
    ],
  });

  // docs.aws.amazon.com/lambda/latest/dg/with-kafka.html
  expect(event).toEqual({
    eventSource: 'SelfManagedKafka',
    bootstrapServers: expect.any(String),
    records: {
      'mytopic-0': [
        {
          topic: 'mytopic',
          partition: 0,
          offset: 15,
          timestamp: 1_545_084_650_987,
          timestampType: 'CREATE_TIME',
          key: 'cmVjb3JkS2V5',
          value: 'SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==',
          headers: [{ headerKey: [104, 101, 97, 100, 101, 114, 86, 97, 108, 117, 101] }],
        },
      ],
    },
  });
});

test('of Amazon MSK names its cluster', () => {
  const event = kafkaEvent({ topic: 'mytopic', eventSource: 'aws:kafka', records: [] });

  expect(event).toMatchObject({
    eventSource: 'aws:kafka',
    eventSourceArn: expect.stringMatching(/^arn:aws:kafka:[a-z0-9-]+:\d{12}:cluster\//),
  });
});

describe('records', () => {
  test('go to their partitions, with offsets and times that rise', () => {
    const { records } = kafkaEvent({
      topic: 't',
      partition: 2,
      records: [{ value: 1 }, { value: 2, offset: 9 }, { value: 3, partition: 0 }, { value: 4 }],
    });

    const places = Object.entries(records).map(([name, list]) => [name, list.map(({ partition, offset }) => [partition, offset])]);
    expect(Object.fromEntries(places)).toEqual({
      't-2': [
        [2, 0],
        [2, 9],
        [2, 10],
      ],
      't-0': [[0, 0]],
    });
    const times = records['t-2']?.map(({ timestamp }) => timestamp) ?? [];
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  test('take text and bytes as they are, and other values as JSON', () => {
    const bytes = new Uint8Array([1, 2, 255, 0]).subarray(1, 3);
    const { records } = kafkaEvent({
      topic: 't',
      records: [{ value: 'text' }, { value: bytes, key: bytes }, { value: { id: 1 } }, { value: 7 }],
    });

    const values = records['t-0']?.map(({ value }) => Buffer.from(value ?? '', 'base64'));
    expect(values).toEqual([Buffer.from('text'), Buffer.from([2, 255]), Buffer.from('{"id":1}'), Buffer.from('7')]);
    expect(records['t-0']?.[1]?.key).toBe(Buffer.from([2, 255]).toString('base64'));
  });

  test('can be tombstones, and lack a key', () => {
    const [record] = kafkaEvent({ topic: 't', records: [{ value: null, key: null }] }).records['t-0'] ?? [];

    expect(record).toMatchObject({ value: null, headers: [] });
    expect(record).not.toHaveProperty('key');
  });
});
