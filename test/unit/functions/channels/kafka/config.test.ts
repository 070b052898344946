import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseKafkaConfig } from '../../../../../functions/channels/kafka/config.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const SECRET = 'hunter2';

describe('parseKafkaConfig', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-test-'));
    writeFileSync(join(folder, 'ca.pem'), PEM);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test('takes brokers and defaults', () => {
    expect(parseKafkaConfig({ MILLRACE_KAFKA: 'a:9092, [::1]:9093' })).toEqual({
      brokers: ['a:9092', '[::1]:9093'],
      clientId: 'millrace',
      ssl: undefined,
      sasl: undefined,
      connectionTimeoutMs: 5000,
      requestTimeoutMs: 10_000,
      compression: 'none',
    });
  });

  test('takes the rest from JSON text', () => {
    const sasl = { mechanism: 'scram-sha-512', username: 'ada', password: SECRET };
    const rest = { clientId: 'me', ssl: { ca: PEM, cert: PEM, key: PEM }, sasl, requestTimeoutMs: 2000, compression: 'gzip' };

    expect(parseKafkaConfig({ MILLRACE_KAFKA: 'a:1', MILLRACE_KAFKA_CONFIG: JSON.stringify(rest) })).toMatchObject(rest);
  });

  test('takes it from a file, brokers too, with PEM files relative to it', () => {
    const path = join(folder, 'kafka.json');
    writeFileSync(path, JSON.stringify({ brokers: ['file:1'], ssl: { ca: 'ca.pem' } }));

    expect(parseKafkaConfig({ MILLRACE_KAFKA_CONFIG: path })).toMatchObject({ brokers: ['file:1'], ssl: { ca: PEM } });
    expect(parseKafkaConfig({ MILLRACE_KAFKA: 'env:1', MILLRACE_KAFKA_CONFIG: path })).toMatchObject({ brokers: ['env:1'] });
  });

  test.each([
    [true, {}],
    [false, undefined],
  ])('takes ssl: %p', (ssl, expected) => {
    expect(parseKafkaConfig({ MILLRACE_KAFKA: 'a:1', MILLRACE_KAFKA_CONFIG: JSON.stringify({ ssl }) }).ssl).toEqual(expected);
  });

  test.each([
    ['', '{}', 'no broker'],
    ['a', '{}', "'a'"],
    ['a:0', '{}', "'a:0'"],
    ['a:70000', '{}', "'a:70000'"],
    [`user:${SECRET}@a:1`, '{}', '…@a:1'],
    ['a:1', '{ "sasl": { "password": "hunter2", }', 'is no JSON'],
    ['a:1', '[]', 'cannot be read'],
    ['a:1', '{"sasl":{"mechanism":"md5","username":"u","password":"hunter2"}}', 'scram-sha-256'],
    ['a:1', '{"sasl":{"mechanism":"plain","username":"u"}}', 'password'],
    ['a:1', '{"sasl":{"mechanism":"plain","username":"u","password":"hunter2","realm":"x"}}', "'realm'"],
    ['a:1', '{"ssl":{"ca":"missing.pem"}}', 'missing.pem'],
    ['a:1', '{"ssl":{"cert":"-----BEGIN X"}}', 'both cert and key'],
    ['a:1', '{"ssl":{"pfx":"x"}}', "'pfx'"],
    ['a:1', '{"ssl":"yes"}', 'ssl must be an object'],
    ['a:1', '{"pass":"hunter2"}', "'pass'"],
    ['a:1', '{"requestTimeoutMs":5}', 'requestTimeoutMs'],
    ['a:1', '{"clientId":7}', 'clientId'],
    ['a:1', '{"compression":"zstd"}', 'none, gzip'],
    ['a:1', 'no-such-file.json', 'no-such-file.json'],
  ])('refuses brokers %p with %p, and tells no secret', (brokers, config, message) => {
    let thrown: unknown;
    try {
      parseKafkaConfig({ MILLRACE_KAFKA: brokers, MILLRACE_KAFKA_CONFIG: config });
    } catch (error) {
      thrown = error;
    }

    expect(thrown).toMatchObject({ code: 'MILLRACE_CONFIG_INVALID', message: expect.stringContaining(message) });
    expect((thrown as Error).message).not.toContain(SECRET);
  });
});

test('IAM needs a region and nothing else', () => {
  const parse = (sasl: object) =>
    parseKafkaConfig({ MILLRACE_KAFKA: 'b:9098', MILLRACE_KAFKA_CONFIG: JSON.stringify({ ssl: true, sasl }) });

  expect(parse({ mechanism: 'aws-msk-iam', region: 'us-gov-west-1' }).sasl).toEqual({ mechanism: 'aws-msk-iam', region: 'us-gov-west-1' });
  for (const sasl of [
    { mechanism: 'aws-msk-iam' },
    { mechanism: 'aws-msk-iam', region: 'Frankfurt' },
    { mechanism: 'aws-msk-iam', region: 'eu-west-1', username: 'u' },
  ])
    expect(() => parse(sasl)).toThrow(expect.objectContaining({ code: 'MILLRACE_CONFIG_INVALID' }));
});
