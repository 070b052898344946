import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { type ConfigSources, describeValue, resolveConfig, type RunConfig } from '../../../local/config.ts';

const cwd = mkdtempSync(join(tmpdir(), 'millrace-config-'));
afterAll(() => {
  rmSync(cwd, { recursive: true, force: true });
});

function resolve(
  sources: Partial<Omit<ConfigSources, 'flags' | 'params'>> & { flags?: Record<string, string>; params?: Record<string, string> } = {},
): RunConfig {
  const { flags = {}, params = {}, ...rest } = sources;
  return resolveConfig({
    env: {},
    cwd,
    pipelineOptions: {},
    ...rest,
    flags: new Map(Object.entries(flags)),
    params: new Map(Object.entries(params)),
  });
}

describe('resolves', () => {
  test('defaults', () => {
    expect(resolve()).toMatchObject({ namespace: 'default', data: undefined, port: 0, determinismEvery: 20, params: {}, options: {} });
  });

  test('real services, and a switch', () => {
    const flags = { kafka: 'a:1', 'kafka-config': 'k.json', zookeeper: 'z:1/m' };
    const { kafka, kafkaConfig, createTopics, zookeeper, entries } = resolve({ flags, switches: new Set(['create-topics']) });

    expect([kafka, kafkaConfig, createTopics, zookeeper]).toEqual(['a:1', 'k.json', true, 'z:1/m']);
    expect(entries).toContainEqual({ name: 'createTopics', value: true, source: 'flag --create-topics' });
    expect(resolve()).toMatchObject({ kafka: undefined, createTopics: false });
  });

  test('a Kafka configuration that is JSON, and shows none of it', () => {
    const env = { MILLRACE_KAFKA_CONFIG: ' {"sasl":{"password":"hunter2"}}' };
    const shown = resolve({ env })
      .entries.filter(({ name }) => name === 'kafkaConfig')
      .map(describeValue);

    expect(shown).toEqual(['(JSON)']);
  });

  test('pipeline options only where something is said about them, so that the defaults of the plan stay its own', () => {
    const { options } = resolve({ flags: { 'batch-size': '7' }, pipelineOptions: { parallelism: 2 } });

    expect(options).toEqual({ batchSize: 7, parallelism: 2 });
  });

  test('values of every kind from the environment, and takes empty ones for none', () => {
    const env = { MILLRACE_DATA: 'folder', MILLRACE_PARTIAL_BATCH_RESPONSE: 'true', MILLRACE_MAX_RETRIES: '-1', MILLRACE_PORT: '' };

    expect(resolve({ env })).toMatchObject({ data: 'folder', port: 0, options: { partialBatchResponse: true, maxRetries: -1 } });
  });

  test('parameters of the command line above those of the file', () => {
    writeFileSync(join(cwd, 'p.json'), '{ "params": { "a": "file", "b": "file" } }');

    const { params, entries } = resolve({ flags: { config: 'p.json' }, params: { a: 'flag' } });

    expect(params).toEqual({ a: 'flag', b: 'file' });
    expect(entries.slice(-2)).toEqual([
      { name: 'param a', value: 'flag', source: 'flag --param a' },
      { name: 'param b', value: 'file', source: `file ${join(cwd, 'p.json')}` },
    ]);
  });
});

describe('names who has to change what', () => {
  test('a flag', () => {
    expect(() => resolve({ flags: { port: '0x' } })).toThrow(
      expect.objectContaining({ code: 'MILLRACE_FLAG_INVALID', message: expect.stringContaining('--port is "0x"') }),
    );
  });

  test('a variable', () => {
    expect(() => resolve({ env: { MILLRACE_CONCURRENCY: '0' } })).toThrow(
      expect.objectContaining({
        code: 'MILLRACE_CONFIG_INVALID',
        message: 'MILLRACE_CONCURRENCY is 0: give a whole number from 1 to 1000',
      }),
    );
  });
});

describe('shows', () => {
  test.each(['param apiToken', 'param DB_PASSWORD', 'param api_key', 'param accessKey', 'param clientSecret', 'param passwd'])(
    'no value of %s',
    (name) => {
      expect(describeValue({ name, value: 'hush', source: '' })).toBe('********');
    },
  );

  test.each([
    [undefined, '(none)'],
    [0, '0'],
    [false, 'false'],
    ['https://user:hush@host/path', 'https://user:********@host/path'],
    ['https://host:9092/a@b', 'https://host:9092/a@b'],
  ])('%p as %p', (value, text) => {
    expect(describeValue({ name: 'param url', value, source: '' })).toBe(text);
  });
});
