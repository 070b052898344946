/** Whatever a user gets wrong is told in a few lines: a code, what was given, what to do. Stacks are for those who ask. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Ended, millrace, pipelineFile, Projects, spawnMillrace } from './command.ts';

const projects = new Projects();
const STACK = /^ +at /m;

const FILES = {
  'ok.ts': pipelineFile('ok', "env.fromCollection([1, 2]).keyBy((n) => n).reduce((a, b) => a + b).uid('sum').print();"),
  'library.ts': 'export const answer = 42;\n',
  'throws.ts': pipelineFile('throws', "env.fromElements(1).print();\n  throw new TypeError('no such airport');"),
  'syntax.ts': pipelineFile('syntax', 'let a = ;'),
  'async.ts':
    "import { pipeline } from 'millrace';\nexport default pipeline('late', async (env) => {\n  env.fromElements(1).print();\n});\n",
  'no-package.ts': "import left from 'left-padding';\nexport default left;\n",
  'records.ts': pipelineFile(
    'records',
    "env.fromSource(file.source({ path: env.param('input'), format: 'json-array' }), { uid: 'in' }).print();",
  ),
  'bad-option.ts': pipelineFile('options', 'env.fromElements(1).print();', '{ parallelism: 0 }'),
  'garbage.json': '[{"a":1}, {"a":2} oops]',
  'lines.json': '{"a":1}\n{"a":2}\n',
  'cut.json': '[{"a":1},',
};
let dir = '';

beforeAll(() => {
  dir = projects.create(FILES);
});
afterAll(() => projects.dispose());

/** What every refusal has in common. */
function expectRefusal(ended: Ended, exitCode: number, error: string): void {
  expect(ended.stderr).toContain(`error ${error}`);
  expect(ended.stderr).not.toMatch(STACK);
  expect(ended.code).toBe(exitCode);
}

describe('the command line', () => {
  test.each([
    [['run', 'ok.ts'], "there is no command 'run'; there are dev, plan, config, state, dlq and why. See millrace help"],
    [['dev'], 'millrace dev needs a pipeline file: millrace dev FILE. See millrace help'],
    [['dev', 'ok.ts', 'more.ts'], "unexpected 'more.ts' behind ok.ts. See millrace help"],
    [['dev', 'ok.ts', '-x'], 'unknown flag -x; flags begin with two dashes. See millrace help'],
    [['dev', 'ok.ts', '--jsno'], 'unknown flag --jsno; did you mean --json?'],
    [
      ['dev', 'ok.ts', '--fast'],
      'unknown flag --fast; if it is a parameter of the pipeline, it needs a value: --fast VALUE. See millrace help',
    ],
    [['dev', 'ok.ts', '--port'], '--port needs a value: --port VALUE'],
    [['dev', 'ok.ts', '--port', '--json'], '--port needs a value: --port VALUE'],
    [['dev', 'ok.ts', '--json=yes'], "--json takes no value, given 'yes'"],
    [['dev', 'ok.ts', '--port', 'http'], '--port is "http": give a whole number from 0 to 65535'],
    [['dev', 'ok.ts', '--port', ''], '--port is "": give a whole number from 0 to 65535'],
    [['dev', 'ok.ts', '--port', '1.5'], '--port is 1.5: give a whole number from 0 to 65535'],
    [['dev', 'ok.ts', '--port=70000'], '--port is 70000: give a whole number from 0 to 65535'],
    [['dev', 'ok.ts', '--concurrency', '0'], '--concurrency is 0: give a whole number from 1 to 1000'],
    [['dev', 'ok.ts', '--batch-size', 'many'], '--batch-size is "many": give a whole number'],
    [['dev', 'ok.ts', '--partial-batch-response', 'maybe'], '--partial-batch-response is "maybe": give true or false'],
    [['dev', 'ok.ts', '--param', 'topic'], "--param is 'topic'; give --param NAME=VALUE"],
    [['dev', 'ok.ts', '--mermaid'], 'millrace dev has no flag --mermaid, which is one of millrace plan. See millrace help'],
    [['dev', 'ok.ts', '--update-lock'], 'millrace dev has no flag --update-lock, which is one of millrace plan. See millrace help'],
    [['plan', 'ok.ts', '--json', '--mermaid'], 'give one of --json and --mermaid. See millrace help'],
    [['plan', 'ok.ts', '--mermaid', '--update-lock'], 'give one of --mermaid and --update-lock. See millrace help'],
    [
      ['config', 'ok.ts', '--json'],
      'millrace config has no flag --json, which is one of millrace dev, plan, state ls, state count, state get, dlq ls, dlq show, dlq replay, why. See millrace help',
    ],
    [['state', 'ls', 'ok.ts', '--mermaid'], 'millrace state ls has no flag --mermaid, which is one of millrace plan. See millrace help'],
    [
      ['why', 'ok.ts', 'out', '0', '0', '--mermaid'],
      'millrace why has no flag --mermaid, which is one of millrace plan. See millrace help',
    ],
    [['dlq', 'ls', 'ok.ts', '--all'], 'millrace dlq ls has no flag --all, which is one of millrace dlq replay. See millrace help'],
    [
      ['dlq', 'show', 'ok.ts', '3', '--stage', 'a'],
      'millrace dlq show has no flag --stage, which is one of millrace dlq ls, dlq replay. See millrace help',
    ],
    [
      ['dlq', 'replay', 'ok.ts', '--limit', '3'],
      'millrace dlq replay has no flag --limit, which is one of millrace dlq ls. See millrace help',
    ],
  ])('millrace %j', async (args, message) => {
    expectRefusal(await millrace(dir, args), 2, `MILLRACE_FLAG_INVALID: ${message}\n`);
  });

  test.each([
    [['--batch-size', '0'], 'option batchSize is 0: give a whole number from 1 to 10000'],
    [['--on-error', 'explode'], "option onError is \"explode\": give 'dead-letter' or 'fail'"],
    [['--namespace', 'a b'], 'the namespace is "a b": give 1 to 64 of a-z, A-Z, 0-9, _ and -'],
  ])('a value that the plan refuses: %j', async (flags, message) => {
    expectRefusal(await millrace(dir, ['dev', 'ok.ts', ...flags]), 1, `MILLRACE_OPTION_INVALID: ${message}\n`);
  });

  test('a parameter that the pipeline does not read', async () => {
    const message = "pipeline 'ok' reads no parameter 'prot'; it reads: none. Flags of the command itself: see millrace help";

    expectRefusal(await millrace(dir, ['dev', 'ok.ts', '--prot', '9000']), 1, `MILLRACE_PARAM_UNKNOWN: ${message}\n`);
  });

  test('a parameter that the pipeline needs', async () => {
    expectRefusal(
      await millrace(dir, ['dev', 'records.ts']),
      1,
      "MILLRACE_PARAM_MISSING: the pipeline needs the parameter 'input': give --param input=…\n",
    );
  });
});

describe('the pipeline file', () => {
  test.each([
    ['missing.ts', 'MILLRACE_INPUT_UNREADABLE: cannot read the pipeline file ', /\(ENOENT\); give the path of a \.ts or \.js file\n$/],
    ['.', 'MILLRACE_INPUT_UNREADABLE: cannot read the pipeline file ', /\(it is no file\); give the path of a \.ts or \.js file\n$/],
    [
      'library.ts',
      'MILLRACE_NO_PIPELINE: library.ts exports no pipeline: it has no default export, only answer',
      /; write: export default pipeline\(/,
    ],
    ['throws.ts', "MILLRACE_BUILD_FAILED: the build function of pipeline 'throws' threw: no such airport\n", /--verbose shows where\n$/],
    ['async.ts', "MILLRACE_BUILD_FAILED: the build function of pipeline 'late' returned a promise", /it must be synchronous, without I\/O/],
    ['syntax.ts', 'MILLRACE_BUNDLE_FAILED: cannot bundle syntax.ts:\n  syntax.ts:3:11: Unexpected ";"', /\n$/],
    ['no-package.ts', 'MILLRACE_BUNDLE_FAILED: cannot bundle no-package.ts:', /run "npm install left-padding" in the pipeline's project/],
    ['bad-option.ts', 'MILLRACE_OPTION_INVALID: option parallelism is 0', /give a whole number from 1 to 32768\n$/],
  ])('%s', async (file, error, nextStep) => {
    const ended = await millrace(dir, ['dev', file]);

    expectRefusal(ended, 1, error);
    expect(ended.stderr).toMatch(nextStep);
    expect(ended.stdout).toBe('');
  });

  test('--verbose shows the stack of the error and of its cause, at the place in the file', async () => {
    const { stderr } = await millrace(dir, ['plan', 'throws.ts', '--verbose']);

    expect(stderr).toMatch(/^MillraceError: the build function/m);
    expect(stderr).toMatch(/^TypeError: no such airport\n +at /m);
  });

  test.each(['dev', 'plan', 'config'])('millrace %s refuses the same way', async (command) => {
    expectRefusal(await millrace(dir, [command, 'library.ts']), 1, 'MILLRACE_NO_PIPELINE: ');
  });

  test('with --json, the one line on stdout has the error', async () => {
    const { stdout } = await millrace(dir, ['dev', 'library.ts', '--json']);

    expect(JSON.parse(stdout)).toEqual({
      ok: false,
      error: { code: 'MILLRACE_NO_PIPELINE', message: expect.stringContaining('library.ts') },
    });
  });
});

describe('the input', () => {
  test.each([
    ['nowhere.json', /nowhere\.json cannot be read: ENOENT/],
    ['garbage.json', /garbage\.json is no JSON array: at byte 18 stands 'o', where comma or end should be/],
    [
      'lines.json',
      /lines\.json is no JSON array: at byte 0 stands '\{', where array should be; for a record a line give format: 'json-lines'/,
    ],
    ['cut.json', /cut\.json ends at byte 9, where element should follow: is it complete\?/],
  ])('%s', async (input, message) => {
    const ended = await millrace(dir, ['dev', 'records.ts', '--input', join(dir, input)]);

    expectRefusal(ended, 1, 'MILLRACE_INPUT_UNREADABLE: ');
    expect(ended.stderr).toMatch(message);
  });

  test('a source that throws, by its uid', async () => {
    const body = "env.fromSource(file.source({ path: () => { throw new Error('no idea'); }, format: 'lines' }), { uid: 'in' }).print();";
    const ended = await millrace(projects.create({ 'p.ts': pipelineFile('lost', body) }), ['dev', 'p.ts']);

    expectRefusal(ended, 1, "MILLRACE_INPUT_UNREADABLE: source 'in' threw while it was read: no idea\n");
  });
});

describe('the configuration', () => {
  test.each([
    ['[1]', /must hold one JSON object, such as/],
    ['{ "port": [', /settings\.json is not JSON: /],
    ['{ "ports": 1 }', /sets 'ports'; known are params, namespace, data, port/],
    ['{ "port": "9000" }', /settings\.json: "port" is "9000": give a whole number from 0 to 65535/],
    ['{ "port": null }', /"port" is null: give a whole number/],
    ['{ "parallelism": { "a": 1 } }', /"parallelism" is \{"a":1\}: give a whole number/],
    ['{ "data": 1 }', /"data" is 1: give text/],
    ['{ "params": { "n": 1 } }', /"params" must be an object of strings/],
  ])('a config file with %s', async (text, message) => {
    writeFileSync(join(dir, 'settings.json'), text);

    const ended = await millrace(dir, ['config', 'ok.ts', '--config', 'settings.json']);

    expectRefusal(ended, 1, 'MILLRACE_CONFIG_INVALID: ');
    expect(ended.stderr).toMatch(message);
  });

  test('a config file that is not there, or is none', async () => {
    expectRefusal(await millrace(dir, ['dev', 'ok.ts', '--config', 'none.json']), 1, 'MILLRACE_CONFIG_INVALID: --config names ');
    expectRefusal(await millrace(dir, ['dev', 'ok.ts', '--config', '.']), 1, 'MILLRACE_CONFIG_INVALID: ');
  });

  test.each([
    [{ MILLRACE_PORT: 'x' }, 'MILLRACE_PORT is "x": give a whole number from 0 to 65535\n'],
    [{ MILLRACE_DETERMINISM_EVERY: '-1' }, 'MILLRACE_DETERMINISM_EVERY is -1: give a whole number from 0'],
    [{ MILLRACE_PARTIAL_BATCH_RESPONSE: '1' }, 'MILLRACE_PARTIAL_BATCH_RESPONSE is "1": give true or false\n'],
  ])('the environment %j', async (env, message) => {
    expectRefusal(await millrace(dir, ['dev', 'ok.ts'], env), 1, `MILLRACE_CONFIG_INVALID: ${message}`);
  });
});

test.each<[string[], Record<string, string>, string]>([
  [['--zookeeper', '127.0.0.1:1'], {}, 'flag --zookeeper'],
  [[], { MILLRACE_ZOOKEEPER: '127.0.0.1:1' }, 'environment MILLRACE_ZOOKEEPER'],
])('state that would outlive its log: dev %j in %j', async (flags, env, source) => {
  const message = `zookeeper (${source}) keeps the state of a run, but its log is in memory and ends with it: give --kafka HOST:PORT or --data DIR too`;

  expectRefusal(await millrace(dir, ['dev', 'ok.ts', ...flags], env), 2, `MILLRACE_FLAG_INVALID: ${message}. See millrace help\n`);
});

describe('the machine', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.close();
  });

  test('a port in use', async () => {
    server = createServer();
    const port = await new Promise<number>((resolve) => {
      server?.listen(0, '127.0.0.1', () => resolve((server?.address() as { port: number }).port));
    });

    const ended = await millrace(dir, ['dev', 'ok.ts', '--port', String(port)]);

    expectRefusal(ended, 1, `MILLRACE_PORT_IN_USE: port ${port} is in use; give another one, or 0 for any that is free\n`);
  });

  test('a data folder that is a file', async () => {
    expectRefusal(await millrace(dir, ['dev', 'ok.ts', '--data', join(dir, 'cut.json')]), 1, 'MILLRACE_DATA_INVALID: --data ');
  });

  test('a data folder that a living process holds', async () => {
    const data = join(dir, 'taken');
    mkdirSync(data);
    writeFileSync(join(data, 'lock'), String(process.ppid));

    const ended = await millrace(dir, ['dev', 'ok.ts', '--data', data]);

    expectRefusal(ended, 1, `MILLRACE_DATA_INVALID: process ${process.ppid} is using this data folder; stop it, or give another --data`);
  });
});

describe('the lock file', () => {
  const counting = (uid: string, type = '0'): string =>
    pipelineFile(
      'locked',
      `env.fromCollection([1, 2], { uid: 'numbers' }).keyBy((n) => n).process({
        state: { seen: valueState('seen', { default: ${type} }) },
        processElement: (n) => [n],
      }).uid('${uid}').print();`,
    );

  test('is written on demand, and then guards uids', async () => {
    const folder = projects.create({ 'p.ts': counting('count') });

    const written = await millrace(folder, ['plan', 'p.ts', '--update-lock']);
    const again = await millrace(folder, ['plan', 'p.ts', '--update-lock']);
    writeFileSync(join(folder, 'p.ts'), counting('tally'));
    const changed = await millrace(folder, ['dev', 'p.ts']);

    expect(written.stdout).toBe('wrote millrace.lock.json: commit it with the pipeline\n');
    expect(again.stdout).toBe('millrace.lock.json is up to date\n');
    expectRefusal(changed, 1, 'MILLRACE_UID_ORPHANED: ');
  });

  test('guards what else would lose state', async () => {
    const folder = projects.create({ 'p.ts': counting('count') });
    await millrace(folder, ['plan', 'p.ts', '--update-lock']);

    expectRefusal(await millrace(folder, ['dev', 'p.ts', '--max-parallelism', '64']), 1, 'MILLRACE_OPTION_INVALID: ');
    writeFileSync(join(folder, 'millrace.lock.json'), '{');
    expectRefusal(await millrace(folder, ['dev', 'p.ts']), 1, 'MILLRACE_LOCK_INVALID: ');
  });
});

describe('a running pipeline', () => {
  const failing = (step: string, options?: string): string =>
    projects.create({ 'p.ts': pipelineFile('fails', `env.fromCollection([1, 2, 3])${step}.print();`, options) });

  test('that is not deterministic ends, and the error names the operator', async () => {
    const folder = failing(".map((n) => n + Math.random()).name('dice')");

    const ended = await millrace(folder, ['dev', 'p.ts', '--determinism-every', '1', '--json']);

    expectRefusal(ended, 1, 'MILLRACE_NOT_DETERMINISTIC: stage elements-1: ');
    expect(ended.stderr).toContain("operator 'dice' emitted other records");
    expect(JSON.parse(ended.stdout)).toMatchObject({ ok: false, finished: false, error: { code: 'MILLRACE_NOT_DETERMINISTIC' } });
  });

  test("whose onError is 'fail' ends at the record that fails", async () => {
    const folder = failing(".map((n) => { if (n === 2) throw new Error('no twos'); return n; })", "{ onError: 'fail' }");

    const ended = await millrace(folder, ['dev', 'p.ts', '--json']);

    expectRefusal(ended, 1, 'MILLRACE_RECORD_FAILED: stage elements-1: ');
    expect(ended.stderr).toContain('MILLRACE_USER_FUNCTION: no twos');
    expect(JSON.parse(ended.stdout)).toMatchObject({ ok: false, deadLetters: 0, error: { code: 'MILLRACE_RECORD_FAILED' } });
  });
});

describe('a process of its own', () => {
  test('ends with the exit code, stdout empty and no stack', async () => {
    const [wrongCall, wrongFile] = await Promise.all([spawnMillrace(dir, ['fly']).ended, spawnMillrace(dir, ['dev', 'throws.ts']).ended]);

    expectRefusal(wrongCall, 2, 'MILLRACE_FLAG_INVALID: ');
    expectRefusal(wrongFile, 1, 'MILLRACE_BUILD_FAILED: ');
    expect([wrongCall.stdout, wrongFile.stdout]).toEqual(['', '']);
  });
});
