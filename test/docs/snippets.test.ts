/**
 * The code in the documents is true: it compiles, its tests pass, its pipelines plan, its commands exist and print what is shown. README.md of this
 * folder explains what the words behind a fence's language mean.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import ts from 'typescript';
import { planPipeline } from '../../functions/graph/plan.ts';
import { USAGE } from '../../local/cli.ts';
import { loadPipeline } from '../../local/load-pipeline.ts';
import { codes, type Document, type Fence, readDocuments } from './documents.ts';

const ROOT = process.cwd();
/** Ignored by git and by every tool; a folder for each document. */
const WORK = join(ROOT, 'temp', 'docs');
const FRAGMENTS = 'fragments.ts';
const documents = readDocuments();
const preamble = readFileSync('test/docs/fixtures/preamble.ts', 'utf8');

const folderOf = ({ path }: Document): string => join(WORK, path.replace(/\.md$/, '').replaceAll('/', '-'));
const filesOf = ({ fences }: Document): Fence[] => fences.filter(({ file }) => file !== undefined);
const fragmentsOf = ({ fences }: Document): Fence[] => fences.filter(({ language, file }) => language === 'ts' && file === undefined);

interface Place {
  readonly document: Document;
  readonly fence: Fence;
}
const places = (pick: (fence: Fence) => boolean): Place[] =>
  documents.flatMap((document) => document.fences.filter(pick).map((fence) => ({ document, fence })));

beforeAll(() => {
  rmSync(WORK, { recursive: true, force: true });
  for (const document of documents) {
    const files = filesOf(document).map(({ file = '', text }) => [file, text] as const);
    for (const [name, text] of [...files, [FRAGMENTS, fragmentText(document)] as const]) {
      mkdirSync(folderOf(document), { recursive: true });
      writeFileSync(join(folderOf(document), name), text);
    }
  }
});

afterAll(() => {
  rmSync(WORK, { recursive: true, force: true });
});

/** All fragments of a document behind the preamble, in order: later ones see the names of earlier ones. */
function fragmentText(document: Document): string {
  return [preamble, ...fragmentsOf(document).map(({ text }) => text)].join('');
}

describe('TypeScript', () => {
  test('compiles with the options of this repository', () => {
    const found = ts.getPreEmitDiagnostics(ts.createProgram(typeScriptFiles(), compilerOptions()));

    expect(found.map(describeDiagnostic)).toEqual([]);
  }, 120_000);

  test('tests pass', () => {
    const { jest } = JSON.parse(readFileSync('package.json', 'utf8')) as { jest: object };
    const config = { ...jest, rootDir: ROOT, testMatch: [`${WORK}/**/*.test.ts`], reporters: ['default'] };

    const { status, stderr } = spawnSync(process.execPath, ['node_modules/jest/bin/jest.js', '--config', JSON.stringify(config)], {
      encoding: 'utf8',
    });

    expect(status === 0 ? '' : stderr).toBe('');
    expect(stderr).toMatch(/Tests: +\d+ passed/);
  }, 120_000);

  const pipelines = places(({ text }) => text.includes('export default pipeline('));
  test.each(pipelines.map(({ document, fence }) => [`${document.path} ${fence.file ?? ''}`, document, fence] as const))(
    'pipeline %s plans',
    async (_name, document, fence) => {
      const alias = { millrace: join(ROOT, 'functions/index.ts'), 'millrace/runtime': join(ROOT, 'functions/runtime/index.ts') };

      const pipeline = await loadPipeline(join(folderOf(document), fence.file ?? ''), { alias });

      expect(planPipeline(pipeline.build()).stages).not.toEqual([]);
    },
  );
});

function typeScriptFiles(): string[] {
  return documents.flatMap((document) =>
    [...filesOf(document).map(({ file = '' }) => file), FRAGMENTS]
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join(folderOf(document), file)),
  );
}

function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile('tsconfig.json', (path) => readFileSync(path, 'utf8'));
  return ts.parseJsonConfigFileContent(config, ts.sys, ROOT).options;
}

/** With the place in the document, not in the file that was made of it. */
function describeDiagnostic({ file, start = 0, messageText }: ts.Diagnostic): string {
  const message = ts.flattenDiagnosticMessageText(messageText, '\n');
  if (file === undefined) return message;
  const document = documents.find((one) => dirname(file.fileName) === folderOf(one));
  const line = file.getLineAndCharacterOfPosition(start).line;
  return `${document ? placeOf(document, file.fileName, line) : file.fileName}: ${message}`;
}

function placeOf(document: Document, fileName: string, line: number): string {
  if (!fileName.endsWith(`/${FRAGMENTS}`)) {
    const fence = filesOf(document).find(({ file = '' }) => fileName.endsWith(`/${file}`));
    return `${document.path}:${(fence?.line ?? 0) + line}`;
  }
  let from = preamble.split('\n').length - 1;
  for (const { text, line: begin } of fragmentsOf(document)) {
    const lines = text.split('\n').length - 1;
    if (line < from + lines) return `${document.path}:${begin + line - from}`;
    from += lines;
  }
  return document.path;
}

describe('output shown', () => {
  const runs = places(({ run }) => run !== undefined);
  test.each(runs.map(({ document, fence }) => [`${document.path}: ${fence.run ?? ''}`, document, fence] as const))(
    '%s',
    (_name, document, fence) => {
      const args = (fence.run ?? '').split(' ').slice(1);

      const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', join(ROOT, 'local/bin.ts'), ...args], {
        cwd: folderOf(document),
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
      });

      const printed = new Set(stdout.split('\n').map((line) => line.trimEnd()));
      const shown = fence.text.split('\n').filter((line) => line !== '' && line !== '…');
      expect({ missing: shown.filter((line) => !printed.has(line)), stderr }).toEqual({ missing: [], stderr: '' });
    },
    60_000,
  );
});

test('JSON parses', () => {
  for (const { fence } of places(({ language }) => language === 'json')) {
    const values = fence.file?.endsWith('.jsonl') === true ? fence.text.trim().split('\n') : [fence.text];
    for (const value of values) expect(() => JSON.parse(value) as unknown).not.toThrow();
  }
});

/** Commands of others that documents may use. */
const OTHERS = new Set(['mkdir', 'cd', 'npx jest', 'npx tsc', 'npm install', 'npm init', 'npm pack', 'npm start', 'npm test', 'npm ci']);
/** Parameters of the pipelines in documents, given as flags. */
const PARAMS = new Set(['--repeat', '--input']);

describe('commands', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  const commands = new Set(['help', ...[...USAGE.matchAll(/^ {2}millrace (\w+)/gm)].map(([, name]) => name)]);
  const flags = new Set([...USAGE.matchAll(/--[a-z-]+/g), ['--help'], ['--version']].map(([flag]) => flag));

  /** What is wrong with a command line; undefined if nothing is. */
  function problemOf(line: string): string | undefined {
    const script = /^npm run ([\w:]+)/.exec(line)?.[1];
    if (script !== undefined) return script in scripts ? undefined : `no script ${script}: ${line}`;
    const millrace = /^(?:npx )?millrace (\S+)(.*)$/.exec(line);
    if (!millrace) return OTHERS.has(line.split(' ').slice(0, 2).join(' ')) || OTHERS.has(line.split(' ')[0] ?? '') ? undefined : line;
    const unknown = [...(millrace[2] ?? '').matchAll(/ (--[a-z-]+)/g)].map(([, flag = '']) => flag);
    if (!commands.has(millrace[1])) return `no command: ${line}`;
    return unknown.some((flag) => !flags.has(flag) && !PARAMS.has(flag)) ? `no flag: ${line}` : undefined;
  }

  test('in shell blocks exist', () => {
    const lines = places(({ language }) => language === 'sh').flatMap(({ fence }) => fence.text.split('\n'));
    const parts = lines.flatMap((line) => line.replace(/ *#.*/, '').split(' && ')).filter((part) => part !== '');

    expect(parts.map(problemOf).filter((problem) => problem !== undefined)).toEqual([]);
  });

  test('in text exist', () => {
    const named = documents.flatMap(({ text }) => codes(text)).filter((code) => /^(npm run|npx millrace|millrace) [a-z]/.test(code));

    expect(
      named
        .flatMap((code) => code.split(' && '))
        .map(problemOf)
        .filter((problem) => problem !== undefined),
    ).toEqual([]);
  });
});

describe('links', () => {
  test.each(documents.map((document) => [document.path, document] as const))('of %s lead somewhere', (path, { text }) => {
    const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target).filter((target) => !/^https?:/.test(target));

    expect(targets.filter((target) => !leadsSomewhere(path, target))).toEqual([]);
  });
});

function leadsSomewhere(from: string, target: string): boolean {
  const [file = '', anchor] = target.split('#');
  const path = file === '' ? from : normalize(join(dirname(from), file));
  if (!existsSync(resolve(path))) return false;
  return anchor === undefined || anchorsOf(readFileSync(path, 'utf8')).includes(anchor);
}

/** As GitHub makes them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
