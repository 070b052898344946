import { expect, test } from '@jest/globals';
import { string } from '../../../../../functions/codec/string.ts';
import { kafkaSink, type KafkaSinkOptions } from '../../../../../functions/connectors/kafka/sink.ts';

const sink = (options: Partial<KafkaSinkOptions<string>>) => kafkaSink({ topic: 't', value: string(), ...options });

test('a sink says how its topic is written to, where it is told', () => {
  expect(sink({})).not.toHaveProperty('produces');
  expect(sink({ acks: 1, compression: 'lz4', retries: 0, timestamps: 'event-time' }).produces).toEqual({
    acks: 1,
    compression: 'lz4',
    retries: 0,
    timestamps: 'event-time',
  });
  expect(sink({ delivery: 'exactly-once', acks: 'all', idempotent: true, compression: 'zstd' }).produces).toEqual({
    acks: 'all',
    idempotent: true,
    compression: 'zstd',
  });
  expect(sink({ acks: 0 }).produces).toEqual({ acks: 0 });
});

test.each([
  [{ acks: -1 }, "acks of kafka.sink() is -1: give 'all', 1, 0"],
  [{ compression: 'brotli' }, "give 'none', 'gzip', 'snappy', 'lz4', 'zstd'"],
  [{ timestamps: 'now' }, "give 'event-time', 'log-append'"],
  [{ idempotent: 'yes' }, 'give true or false'],
  [{ retries: 101 }, 'give a whole number from 0 to 100'],
  [{ retries: 1.5 }, 'give a whole number from 0 to 100'],
  [{ delivery: 'exactly-once', acks: 0 }, "delivery 'exactly-once' and acks 0: transactions need acks 'all'"],
  [{ delivery: 'exactly-once', acks: 1 }, "delivery 'exactly-once' and acks 1"],
  [{ delivery: 'exactly-once', idempotent: false }, "delivery 'exactly-once' and idempotent false"],
  [{ delivery: 'exactly-once', retries: 3 }, "delivery 'exactly-once' and retries 3"],
  [{ delivery: 'at-least-once', acks: 0 }, "delivery 'at-least-once' and acks 0"],
  [{ acks: 0, retries: 3 }, 'acks 0 and retries 3'],
  [{ idempotent: true, acks: 1 }, 'idempotent true and acks 1'],
  [{ idempotent: true, retries: 0 }, 'idempotent true and retries 0'],
])('refuses %j', (options, message) => {
  expect(() => sink(options as never)).toThrow(
    expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID', message: expect.stringContaining(message) }),
  );
});
