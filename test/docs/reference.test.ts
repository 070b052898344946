/** The tables of docs/reference say what the code says. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';
import { parseConsumerProperties } from '../../functions/connectors/kafka/consumer-properties.ts';
import { checkOptions, DEFAULT_OPTIONS } from '../../functions/graph/settings.ts';
import { deadLetterMessage } from '../../functions/runtime/dead-letter.ts';
import { fragmentOf, keyGroupOf, taskOf } from '../../functions/shared/distribution.ts';
import { crc32c, murmur3_32 } from '../../functions/shared/hash.ts';
import { type Key, keyBytes } from '../../functions/shared/key.ts';
import { USAGE } from '../../local/cli.ts';
import { resolveConfig } from '../../local/config.ts';
import { millraceMatchers } from '../../local/testing.ts';
import { codes, readDocument, tableRows } from './documents.ts';

const api = readDocument('docs/reference/api.md');
const apiWords = new Set(codes(api.text).flatMap((code) => code.match(/[A-Za-z_]\w*/g) ?? []));
const testing = readDocument('docs/how-to/test-a-pipeline.md');
const code = (cell = ''): string => codes(cell)[0] ?? cell;

describe('pipeline options', () => {
  const rows = tableRows(api, 'option');

  test('are all there, with their defaults', () => {
    const documented = rows.map(([name, value]) => [code(name), code(value)]);

    expect(documented).toEqual(Object.entries(DEFAULT_OPTIONS).map(([name, value]) => [name, String(value)]));
  });

  const bounded = rows.flatMap(([name, , allowed = '']) => {
    const [, least, most] = /^(-?\d+) to (\d+)/.exec(allowed) ?? [];
    return least === undefined ? [] : [[code(name), Number(least), Number(most)] as const];
  });

  test.each(bounded)('%s is %i to %i', (name, least, most) => {
    for (const value of [least, most]) expect(checkOptions({ [name]: value })).toEqual({ [name]: value });
    for (const value of [least - 1, most + 1]) expect(() => checkOptions({ [name]: value })).toThrow(/give a whole number/);
  });

  test('of other kinds allow what is said', () => {
    const listed = rows.filter(([, , allowed = '']) => allowed.startsWith('`'));

    for (const [name, , allowed = ''] of listed) {
      for (const text of codes(allowed)) {
        const value = text === 'true' || text === 'false' ? text === 'true' : text;
        expect(checkOptions({ [code(name)]: value })).toEqual({ [code(name)]: value });
      }
    }
    expect(bounded.length + listed.length).toBe(rows.length);
  });
});

test('configuration: settings, flags, variables and defaults', () => {
  const none = new Map<string, string>();
  const { entries } = resolveConfig({ flags: none, params: none, env: {}, cwd: '/nowhere', pipelineOptions: {} });
  const rows = tableRows(readDocument('docs/reference/configuration.md'), 'setting');

  const documented = rows.map(([name, flag, variable, fallback]) => [name, flag, variable, fallback].map(code));

  expect(documented).toEqual(
    entries.map(({ name, value }) => {
      const kebab = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      return [name, `--${kebab}`, `MILLRACE_${kebab.replaceAll('-', '_').toUpperCase()}`, value === undefined ? 'none' : String(value)];
    }),
  );
});

test('configuration: the variables that it names are read', () => {
  const none = new Map<string, string>();
  const variables = tableRows(readDocument('docs/reference/configuration.md'), 'setting').map(([, , variable]) => code(variable));
  const valueOf = (name: string): string => (/PARTIAL_BATCH_RESPONSE|CREATE_TOPICS/.test(name) ? 'true' : '2000');
  const env = Object.fromEntries(variables.map((name) => [name, valueOf(name)]));

  const { entries } = resolveConfig({
    flags: new Map([['concurrency', '3']]),
    params: none,
    env,
    cwd: '/nowhere',
    pipelineOptions: {},
  });

  expect(entries.map(({ source }) => source)).toEqual(
    variables.map((name) => (name === 'MILLRACE_CONCURRENCY' ? 'flag --concurrency' : `environment ${name}`)),
  );
});

test('command line: flags and commands', () => {
  const cli = readDocument('docs/reference/cli.md');
  const flagsOf = (text: string): string[] => [...new Set(text.match(/--[a-z-]{2,}/g))].sort();
  const flags = tableRows(cli, 'flag').map(([flag]) => flag);
  const commands = tableRows(cli, 'command').map(([command]) => code(command).split(' ')[1]);

  // `--NAME VALUE` in the summary is no flag.
  expect(flagsOf(flags.join(' '))).toEqual([...new Set([...flagsOf(USAGE), '--help', '--version'])].sort());
  expect(commands).toEqual([...[...USAGE.matchAll(/^ {2}millrace (\w+)/gm)].map(([, name]) => name), 'help']);
});

describe('Kafka', () => {
  const kafka = readDocument('docs/reference/kafka.md');
  const namesIn = (column: string): string[] => tableRows(kafka, column).flatMap(([name = '']) => codes(name));

  test('options of sources', () => {
    expect(namesIn('source option').sort()).toEqual(fieldsOf('functions/connectors/kafka/source.ts', 'KafkaSourceOptions'));
  });

  test('options of sinks', () => {
    expect(namesIn('sink option').sort()).toEqual(fieldsOf('functions/connectors/kafka/sink.ts', 'KafkaSinkOptions'));
  });

  test('properties, and what is refused', () => {
    const known = namesIn('property');
    const values: Record<string, unknown> = { 'auto.offset.reset': 'latest', 'group.id': 'readers' };

    for (const name of known) expect(() => parseConsumerProperties({ [name]: values[name] ?? 1 })).not.toThrow();
    expect(() => parseConsumerProperties({ 'client.id': 'c' })).toThrow(`known are ${known.join(', ')}`);
  });
});

/** Names of the fields of an exported type, over all of its variants. */
function fieldsOf(path: string, type: string): string[] {
  const found = parse(path).statements.find(
    (statement) => (ts.isTypeAliasDeclaration(statement) || ts.isInterfaceDeclaration(statement)) && statement.name.text === type,
  );
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isPropertySignature(node)) names.add(node.name.getText());
    else ts.forEachChild(node, visit);
  };
  if (found) visit(found);
  return [...names].sort();
}

describe('API', () => {
  test('everything that millrace exports is named', () => {
    const missing = exportsOf('functions/index.ts').filter((name) => !apiWords.has(name));

    expect(missing).toEqual([]);
  });

  test('everything that millrace/testing exports as a value is named, and each matcher', () => {
    const words = new Set([...apiWords, ...codes(testing.text).flatMap((text) => text.match(/\w+/g) ?? [])]);
    const values = ['kafkaEvent', 'ManualClock', 'millraceMatchers', 'runPipeline', 'runStage', ...Object.keys(millraceMatchers)];

    expect(values.filter((name) => !words.has(name))).toEqual([]);
  });

  test.each([
    ['functions/api/data-stream.ts'],
    ['functions/api/keyed-stream.ts'],
    ['functions/api/connected-streams.ts'],
    ['functions/api/co-process-function.ts'],
    ['functions/api/broadcast-process-function.ts'],
    ['functions/api/joined-streams.ts'],
    ['functions/api/interval-join.ts'],
    ['functions/api/temporal-join.ts'],
    ['functions/api/environment.ts'],
    ['functions/api/watermark-strategy.ts'],
    ['functions/api/state.ts'],
    ['functions/api/process-function.ts'],
  ])('every public method in %s is named', (path) => {
    expect(methodsOf(path).filter((name) => !apiWords.has(name))).toEqual([]);
  });

  test('every type token is named', () => {
    const types = readFileSync('functions/api/types.ts', 'utf8');
    const tokens = [...types.slice(types.indexOf('Object.freeze({\n')).matchAll(/^ {2}(\w+): /gm)].map(([, name = '']) => name);

    expect(tokens.length).toBeGreaterThan(8);
    expect(tokens.filter((name) => !api.text.includes(`\`Types.${name}`))).toEqual([]);
  });
});

/** Names in the export declarations of a file. */
function exportsOf(path: string): string[] {
  return parse(path).statements.flatMap((statement) => {
    const clause = ts.isExportDeclaration(statement) ? statement.exportClause : undefined;
    return clause && ts.isNamedExports(clause) ? clause.elements.map(({ name }) => name.text) : [];
  });
}

/** Methods of exported classes and interfaces, without private and protected ones. */
function methodsOf(path: string): string[] {
  return parse(path).statements.flatMap((statement) => {
    if (!ts.isClassDeclaration(statement) && !ts.isInterfaceDeclaration(statement)) return [];
    if (!statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
    return [...statement.members].flatMap((member) => {
      if (!ts.isMethodDeclaration(member) && !ts.isMethodSignature(member)) return [];
      const hidden = [ts.SyntaxKind.PrivateKeyword, ts.SyntaxKind.ProtectedKeyword];
      return member.modifiers?.some(({ kind }) => hidden.includes(kind)) ? [] : [member.name.getText()];
    });
  });
}

function parse(path: string): ts.SourceFile {
  return ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
}

describe('distribution: test vectors', () => {
  const rows = tableRows(readDocument('docs/reference/distribution.md'), 'key').filter((row) => row.length === 6);

  test.each(rows)('of %s', (key, ...numbers) => {
    const value = parseKeyCell(code(key));
    const bytes = keyBytes(value);

    const expected = [murmur3_32(bytes), keyGroupOf(value, 128), taskOf(value, 128, 4), crc32c(bytes), fragmentOf(value, 128, 16)];

    expect(numbers.map(Number)).toEqual(expected);
  });
});

function parseKeyCell(text: string): Key {
  if (text.startsWith('bytes ')) return Buffer.from(text.slice('bytes '.length).replaceAll(' ', ''), 'hex');
  return JSON.parse(text.replaceAll("'", '"')) as Key;
}

test('bad records: headers of a dead letter', () => {
  const failure = { code: 'MILLRACE_USER_FUNCTION', message: '', stack: '', attempts: 1 };
  const { headers = [] } = deadLetterMessage({
    ...{ origin: '', stage: '', task: '', failure, key: null, value: null },
    ...{ kind: 'output', timestamp: 1, topic: 'totals', headers: [['a', new Uint8Array(100_000)]] },
  });
  const large = deadLetterMessage({
    origin: '',
    stage: '',
    task: '',
    failure,
    key: null,
    value: new Uint8Array(2_000_000),
    kind: 'record',
  });
  const names = new Set([...headers, ...(large.headers ?? [])].map(([name]) => name));
  const rows = tableRows(readDocument('docs/how-to/handle-bad-records.md'), 'header');

  expect(rows.flatMap(([name = '']) => codes(name)).sort()).toEqual([...names].sort());
});
