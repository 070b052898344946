import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { loadPipeline } from '../../../local/load-pipeline.ts';
import { bundleModule } from '../../../infra/bundling.ts';
import { makeProject } from '../infra/project.ts';

const made: { dispose(): void }[] = [];
const alias = { millrace: join(process.cwd(), 'functions/index.ts') };

afterEach(() => {
  for (const each of made.splice(0)) each.dispose();
});

function file(text: string, name = 'flights.ts', more: Readonly<Record<string, string>> = {}): string {
  const created = makeProject({ [name]: text, ...more });
  made.push(created);
  return join(created.dir, name);
}

const FLIGHTS = `
  import { pipeline } from 'millrace';
  export default pipeline('flights', (env) => {
    env.fromElements([1, 2, 3]).map((value: number) => value + 1).print();
  });
`;

describe('loads', () => {
  test('a TypeScript file outside every package, with Millrace from this checkout', async () => {
    const loaded = await loadPipeline(file(FLIGHTS), { alias });

    expect(loaded.name).toBe('flights');
  });

  test('a CommonJS file', async () => {
    const text = "const { pipeline } = require('millrace');\nmodule.exports = pipeline('flights', () => {});\n";

    expect((await loadPipeline(file(text, 'flights.cjs'), { alias })).name).toBe('flights');
  });

  test('the file as it is now, each time', async () => {
    const path = file(FLIGHTS);
    await loadPipeline(path, { alias });
    writeFileSync(path, FLIGHTS.replace("'flights'", "'trains'"));

    const again = await loadPipeline(path, { alias });

    expect(again.name).toBe('trains');
  });
});

describe('refuses', () => {
  test.each([
    ['export const run = 1;\nexport const stop = 2;\n', 'it has no default export, only run, stop'],
    ['export {};\n', 'it exports nothing'],
    ['export default () => 1;\n', 'its default export is a function'],
    ['export default { pipeline: 1 };\n', 'its default export is an object'],
    ['export default undefined;\n', 'its default export is undefined'],
  ])('a file that exports something else: %j', async (text, what) => {
    await expect(loadPipeline(file(text))).rejects.toMatchObject({
      code: 'MILLRACE_NO_PIPELINE',
      message: `flights.ts exports no pipeline: ${what}; write: export default pipeline('my-pipeline', (env) => { … })`,
    });
  });

  test('a file that is not there', async () => {
    await expect(loadPipeline('/no/such/flights.ts')).rejects.toMatchObject({
      code: 'MILLRACE_INPUT_UNREADABLE',
      message: 'cannot read the pipeline file /no/such/flights.ts (ENOENT); give the path of a .ts or .js file',
    });
  });

  test('a file of data, with what to give', async () => {
    await expect(loadPipeline(file('{"n":1}\n', 'flights.jsonl'))).rejects.toMatchObject({
      code: 'MILLRACE_NO_PIPELINE',
      message: expect.stringContaining('flights.jsonl is no TypeScript or JavaScript: give the file of the pipeline.'),
    });
  });

  test('a file that does not parse, with the place', async () => {
    await expect(loadPipeline(file('let a = ;\n'))).rejects.toMatchObject({
      code: 'MILLRACE_BUNDLE_FAILED',
      message: 'cannot bundle flights.ts:\n  flights.ts:1:9: Unexpected ";"',
    });
  });

  test('a file that throws while it is imported, with the cause', async () => {
    await expect(loadPipeline(file("throw new TypeError('no flights today');\n"))).rejects.toMatchObject({
      code: 'MILLRACE_BUILD_FAILED',
      message: 'flights.ts throws when it is imported: TypeError: no flights today',
      cause: { message: 'no flights today' },
    });
  });

  test('and leaves nothing behind', async () => {
    const error = await loadPipeline(file('throw new Error(__filename);\n')).catch((thrown: unknown) => thrown as Error);

    const path = (error as { cause: Error }).cause.message;
    expect(path).toContain(tmpdir());
    expect(existsSync(path)).toBe(false);
  });

  test('an invalid pipeline, with the code of what is wrong', async () => {
    const text = FLIGHTS.replace("'flights'", "'not a name!'");

    await expect(loadPipeline(file(text), { alias })).rejects.toMatchObject({ code: 'MILLRACE_OPTION_INVALID' });
  });
});

test("stacks name the line of the user's file", async () => {
  const path = file("import { fail } from './fail.ts';\nfail();\n", 'flights.ts', {
    'fail.ts': "interface Erased {}\nexport function fail(): never {\n  throw new Error('here');\n}\n",
  });
  const elsewhere = file(await bundleModule(path), 'run.cjs');

  const run = `try { require(${JSON.stringify(elsewhere)}); } catch (error) { console.log(error.stack); }`;
  const stack = execFileSync(process.execPath, ['--enable-source-maps', '-e', run], { encoding: 'utf8' });

  expect(stack).toContain(`${join(path, '..', 'fail.ts')}:3:9`);
});
