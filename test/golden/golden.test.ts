/**
 * Every pipeline file in this folder is a case. Beside it lies its plan as text (`.plan.txt`), or, where its first line says
 * `// fails: CODE`, the error (`.error.txt`). Where there is a `.mmd` or `.plan.json`, the plan in that form is held as well; where there is a
 * `.lock.json`, the pipeline is planned against it. Parameters are given as `// param: name=value`.
 *
 * To add a case, add its file and run with UPDATE_GOLDENS=1.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Pipeline } from '../../functions/api/pipeline.ts';
import { describePlan } from '../../functions/graph/describe.ts';
import { parseLock } from '../../functions/graph/lock-parser.ts';
import { lockedGeneration, updateLock } from '../../functions/graph/lock.ts';
import { describeAsMermaid } from '../../functions/graph/mermaid.ts';
import { planPipeline } from '../../functions/graph/plan.ts';
import type { PipelinePlan } from '../../functions/graph/stage-plan.ts';
import { isMillraceError } from '../../functions/shared/errors.ts';

const folder = join(process.cwd(), 'test', 'golden');
const cases = readdirSync(folder)
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => name.slice(0, -'.ts'.length));

async function plan(name: string): Promise<PipelinePlan> {
  const { default: pipeline } = (await import(join(folder, `${name}.ts`))) as { default: Pipeline };
  const lockFile = join(folder, `${name}.lock.json`);
  const lock = existsSync(lockFile) ? parseLock(readFileSync(lockFile, 'utf8')) : undefined;
  const made = planPipeline(pipeline.build(paramsOf(name)), { generation: lockedGeneration(lock, pipeline.name) });
  updateLock(lock, made);
  return made;
}

function source(name: string): string {
  return readFileSync(join(folder, `${name}.ts`), 'utf8');
}

function paramsOf(name: string): Record<string, string> {
  return Object.fromEntries([...source(name).matchAll(/^\/\/ param: (\w+)=(.*)$/gm)].map(([, param, value]) => [param, value]));
}

function expectGolden(file: string, text: string): void {
  const path = join(folder, file);
  if (process.env['UPDATE_GOLDENS'] === '1') writeFileSync(path, text);
  if (!existsSync(path)) throw new Error(`${file} is missing: run with UPDATE_GOLDENS=1 and read what it wrote`);
  expect(text).toBe(readFileSync(path, 'utf8'));
}

async function errorOf(name: string): Promise<unknown> {
  return plan(name).then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('golden plans', () => {
  test.each(cases.filter((name) => !source(name).startsWith('// fails: ')))('%s', async (name) => {
    const made = await plan(name);

    expectGolden(`${name}.plan.txt`, describePlan(made));
    if (existsSync(join(folder, `${name}.mmd`))) expectGolden(`${name}.mmd`, describeAsMermaid(made));
    if (existsSync(join(folder, `${name}.plan.json`))) expectGolden(`${name}.plan.json`, `${JSON.stringify(made, null, 2)}\n`);
    expect(JSON.stringify(await plan(name))).toBe(JSON.stringify(made));
    expect(JSON.parse(JSON.stringify(made))).toEqual(made);
  });
});

describe('rejected pipelines', () => {
  test.each(cases.filter((name) => source(name).startsWith('// fails: ')))('%s', async (name) => {
    const code = /^\/\/ fails: (\w+)/.exec(source(name))?.[1];

    const error = await errorOf(name);

    expect(isMillraceError(error) ? error.code : error).toBe(code);
    expectGolden(`${name}.error.txt`, `${String(code)}: ${(error as Error).message}\n`);
  });
});
