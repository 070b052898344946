/**
 * The package as users get it: built from a copy of this repository, packed, installed from the tarball into empty folders, and used from
 * there by a CommonJS and an ESM project. Jest and TypeScript, which users have of their own, are lent from this repository.
 */
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { node24Path } from '../helpers/node24.ts';

const root = process.cwd();
const modules = join(root, 'node_modules');
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-pack-')));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  /** stdout, then stderr. */
  readonly output: string;
}

/** What `npm test` tells its children of this package is not for commands in others. */
function userEnv(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const isOurs = (name: string): boolean =>
    /^npm_(package|lifecycle|command|execpath|config_local_prefix)|^INIT_CWD$|^MILLRACE_/.test(name);
  return { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOurs(name))), ...more };
}

function run(cwd: string, program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(program, args, { cwd, env: userEnv(env), maxBuffer: 16_000_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, output: stdout + stderr });
    });
  });
}

async function succeed(cwd: string, program: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, output } = await run(cwd, program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${output}`);
  return stdout;
}

/** In a copy: other tests and people use dist/ meanwhile. */
async function buildAndPack(): Promise<string> {
  const copy = join(folder, 'repository');
  mkdirSync(join(copy, '.config'), { recursive: true });
  const kept = readdirSync(root).filter(
    (name) => !name.startsWith('.') && !['node_modules', 'dist', 'test', 'coverage', 'temp'].includes(name),
  );
  for (const name of kept) cpSync(join(root, name), join(copy, name), { recursive: true });
  for (const name of readdirSync(join(root, '.config')).filter((name) => name.includes('.')))
    cpSync(join(root, '.config', name), join(copy, '.config', name));
  symlinkSync(modules, join(copy, 'node_modules'));
  await succeed(copy, process.execPath, '.config/build.mjs');
  await succeed(copy, 'npm', 'pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  return join(folder, tarball ?? '');
}

async function install(name: string, type: 'commonjs' | 'module', tarball: string): Promise<string> {
  const dir = join(folder, name);
  mkdirSync(dir);
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ name, private: true, type }));
  await succeed(dir, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error', tarball);
  for (const lent of ['@jest', '@types', 'expect', 'undici-types']) {
    if (existsSync(join(modules, lent))) symlinkSync(join(modules, lent), join(dir, 'node_modules', lent));
  }
  return dir;
}

function write(dir: string, files: Readonly<Record<string, string | object>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), typeof content === 'string' ? content : JSON.stringify(content));
  }
}

const PIPELINE = `
export default pipeline('words', { parallelism: 2 }, (env) => {
  env
    .fromElements('a', 'b', 'a', 'c', 'a')
    .map((word) => shout(word))
    .keyBy((word) => word)
    .count()
    .uid('count')
    .sinkTo(kafka.sink({ topic: 'counts', value: json(), key: ({ key }) => key }));
});
`;

const TEST = `
expect.extend(millraceMatchers);

test('counts words, whatever fails', async () => {
  const run = await runPipeline(words, { faults: [{ crash: 'after-publish', nth: 1 }, { lose: 'write', nth: 2 }] });

  expect(run).toHaveSunk('counts', { key: 'A!', count: 3 });
  expect(run).not.toHaveSunk('counts', { key: 'A!', count: 4 });
});

test('handles an event', async () => {
  const run = await runStage(words, 'count', { records: [{ key: 'B!', value: 'B!' }] });

  expect(run).toHaveSucceeded();
  expect(run).toHaveSunk('counts', { key: 'B!', count: 1 });
});
`;

const MATCHERS = `
declare module 'expect' {
  interface Matchers<R> extends MillraceMatchers<R> {}
}
`;

/** As strict as users may be: the declarations are checked too, and they need no types of Node or the DOM. */
const STRICT = {
  strict: true,
  noEmit: true,
  target: 'es2022',
  lib: ['es2023'],
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  types: [],
};

function writeCommonJsProject(dir: string): void {
  const transform = [join(modules, '@swc', 'jest'), { jsc: { parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } }];
  write(dir, {
    'shout.ts': 'export const shout = (word: string): string => `${word.toUpperCase()}!`;\n',
    'pipeline.ts': `import { json, kafka, pipeline } from 'millrace';\nimport { shout } from './shout';\n${PIPELINE}`,
    'words.test.ts': `import { expect, test } from '@jest/globals';
      import { millraceMatchers, runPipeline, runStage, type MillraceMatchers } from 'millrace/testing';
      import words from './pipeline';
      ${MATCHERS}${TEST}`,
    'handler.test.js': `const { isMillraceError } = require('millrace');
      const { kafkaEvent } = require('millrace/testing');
      const { createStageHandler } = require('millrace/runtime');
      test('plain CommonJS', () => {
        expect(typeof createStageHandler).toBe('function');
        expect(isMillraceError(new Error('no'))).toBe(false);
        expect(kafkaEvent({ topic: 't', records: [] }).records).toEqual({});
      });`,
    'jest.config.json': { transform: { '\\.ts$': transform }, testMatch: ['**/*.test.[jt]s'] },
    'tsconfig.json': { compilerOptions: { ...STRICT, module: 'nodenext' }, files: ['pipeline.ts'] },
  });
}

function writeEsmProject(dir: string): void {
  write(dir, {
    'shout.js': 'export const shout = (word) => `${word.toUpperCase()}!`;\n',
    'words.js': `import { json, kafka, pipeline } from 'millrace';\nimport { shout } from './shout.js';\n${PIPELINE}`,
    'src/shout.ts': 'export const shout = (word: string): string => `${word.toUpperCase()}!`;\n',
    'src/pipeline.ts': `import { json, kafka, pipeline } from 'millrace';\nimport { shout } from './shout.ts';\n${PIPELINE}`,
    'words.test.js': `import { expect, test } from '@jest/globals';
      import { millraceMatchers, runPipeline, runStage } from 'millrace/testing';
      import words from './words.js';
      ${TEST}`,
    'jest.config.json': { transform: {}, testMatch: ['<rootDir>/words.test.js'] },
    'tsconfig.json': { compilerOptions: { ...STRICT, module: 'nodenext', allowImportingTsExtensions: true }, files: ['src/pipeline.ts'] },
  });
}

const COUNTS = '\ntopic counts: 5 messages; the last of each of 3 keys\n  key  count\n  A!       3\n  B!       1\n  C!       1\n';

let commonJs = '';
let esm = '';

beforeAll(async () => {
  const tarball = await buildAndPack();
  [commonJs, esm] = await Promise.all([install('user-commonjs', 'commonjs', tarball), install('user-esm', 'module', tarball)]);
  writeCommonJsProject(commonJs);
  writeEsmProject(esm);
}, 180_000);

function jest(dir: string, ...nodeArgs: readonly string[]): Promise<Ended> {
  const args = [...nodeArgs, join(modules, 'jest', 'bin', 'jest.js'), '--config', 'jest.config.json'];
  return run(dir, process.execPath, args, { NODE_PATH: modules });
}

function tsc(dir: string, ...args: readonly string[]): Promise<Ended> {
  return run(dir, process.execPath, [join(modules, 'typescript', 'bin', 'tsc'), '-p', '.', ...args]);
}

const BUNDLER = ['--module', 'esnext', '--moduleResolution', 'bundler'];

describe('a CommonJS project', () => {
  test('runs its pipeline with npx millrace dev', async () => {
    const { code, output } = await run(commonJs, 'npx', ['millrace', 'dev', 'pipeline.ts']);

    expect(output).toContain(COUNTS);
    expect(code).toBe(0);
  });

  test("passes the user's jest tests, in TypeScript and in JavaScript", async () => {
    const { code, output } = await jest(commonJs);

    expect(output).toMatch(/Tests: +3 passed, 3 total/);
    expect(code).toBe(0);
  });

  test.each([
    ['nodenext', []],
    ['bundler', BUNDLER],
  ])('type-checks with %s resolution', async (_, args) => {
    expect(await tsc(commonJs, ...args)).toEqual({ code: 0, stdout: '', output: '' });
  });

  test('type-checks its test', async () => {
    const options = { ...STRICT, skipLibCheck: true, types: ['node'], module: 'nodenext' };
    write(commonJs, { 'tests/tsconfig.json': { compilerOptions: options, files: ['../words.test.ts'] } });

    expect(await tsc(join(commonJs, 'tests'))).toEqual({ code: 0, stdout: '', output: '' });
  });
});

describe('an ESM project', () => {
  test('runs its pipeline with npx millrace dev, in TypeScript and in JavaScript', async () => {
    for (const file of ['src/pipeline.ts', 'words.js']) {
      const { code, output } = await run(esm, 'npx', ['millrace', 'dev', file]);

      expect(output).toContain(COUNTS);
      expect(code).toBe(0);
    }
  });

  test("passes the user's jest tests as ES modules", async () => {
    const { code, output } = await jest(esm, '--experimental-vm-modules');

    expect(output).toMatch(/Tests: +2 passed, 2 total/);
    expect(code).toBe(0);
  });

  test.each([
    ['nodenext', []],
    ['bundler', BUNDLER],
  ])('type-checks with %s resolution', async (_, args) => {
    expect(await tsc(esm, ...args)).toEqual({ code: 0, stdout: '', output: '' });
  });

  test('gets one line of JSON, and a coded error without a stack', async () => {
    const good = await run(esm, 'npx', ['millrace', 'dev', 'words.js', '--json']);
    const bad = await run(esm, 'npx', ['millrace', 'dev', 'shout.js']);

    expect(JSON.parse(good.stdout)).toMatchObject({ pipeline: 'words', ok: true, records: 5 });
    expect(bad.code).toBe(1);
    expect(bad.output).toContain('error MILLRACE_NO_PIPELINE: shout.js exports no pipeline');
    expect(bad.output).not.toMatch(/^ +at /m);
  });
});

const node24 = node24Path();

(node24 === undefined ? test.skip : test)("runs on Lambda's Node too", async () => {
  const bin = join(
    esm,
    'node_modules',
    'millrace',
    (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { bin: { millrace: string } }).bin.millrace,
  );

  const { code, output } = await run(esm, node24 ?? '', [bin, 'dev', 'src/pipeline.ts']);

  expect(output).toContain(COUNTS);
  expect(code).toBe(0);
});
