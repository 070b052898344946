import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { bundleStages, type BundleStagesOptions, type StageBundle } from '../../../infra/bundling.ts';
import { makeProject, PIPELINE_FILE, STAND_IN, twoStagePlan } from './project.ts';

const made: { dispose(): void }[] = [];

afterEach(() => {
  for (const each of made.splice(0)) each.dispose();
});

function project(files: Readonly<Record<string, string>>): string {
  const created = makeProject(files);
  made.push(created);
  return created.dir;
}

function bundle(dir: string, options: Partial<BundleStagesOptions> = {}): Promise<StageBundle[]> {
  return bundleStages({ pipelineFile: join(dir, 'flights.ts'), plan: twoStagePlan(), outDir: join(dir, 'out'), ...options });
}

/** Two files of the user's and an npm package, so that the order of modules matters. */
const FLIGHTS = {
  ...STAND_IN,
  'package.json': '{ "name": "flights", "type": "module" }',
  'flights.ts':
    "import { pipeline } from 'millrace';\nimport { delay } from './src/delay.ts';\nexport default { ...pipeline('flights'), delay };\n",
  'src/delay.ts': "import { mean } from 'stats';\nexport const delay = (all: number[]): number => mean(all);\n",
  'node_modules/stats/package.json': '{ "name": "stats", "main": "index.cjs", "module": "index.js" }',
  'node_modules/stats/index.cjs': "exports.mean = () => 'the CommonJS copy';\n",
  'node_modules/stats/index.js': 'export const mean = (all) => all.reduce((a, b) => a + b, 0) / all.length;\n',
};

function messageOf(running: Promise<unknown>): Promise<string> {
  return running.then(
    () => 'no error',
    (error: unknown) => (error as Error).message,
  );
}

describe('a bundle', () => {
  test('is a directory with the code and its module format, named after stage and hash, with the map beside it', async () => {
    const dir = project(FLIGHTS);

    const [read, count] = await bundle(dir);

    expect(read).toMatchObject({ stage: 'read', file: join(dir, 'out', `read-${read?.hash ?? ''}`, 'index.js') });
    expect(count).toMatchObject({ stage: 'count', sourceMap: join(dir, 'out', `count-${count?.hash ?? ''}.js.map`) });
    expect(read?.bytes).toBe(readFileSync(read?.file ?? '').length);
    expect(readFileSync(join(read?.dir ?? '', 'package.json'), 'utf8')).toBe('{"type":"commonjs"}\n');
    expect(readFileSync(read?.file ?? '', 'utf8')).not.toContain('sourceMappingURL');
  });

  test('calls the runtime with plan, stage, pipeline and adapters, which open nothing by themselves', async () => {
    const dir = project(FLIGHTS);
    const [read, count] = await bundle(dir);

    const handlerOf = (file = ''): Record<string, unknown> => (createRequire(file)(file) as { handler: Record<string, unknown> }).handler;

    expect(handlerOf(read?.file)).toMatchObject({
      stage: 'read',
      plan: { ...twoStagePlan(), stages: [twoStagePlan().stages[0]] },
      pipeline: { name: 'flights' },
      state: {},
    });
    const { log, state } = handlerOf(count?.file) as Record<'log' | 'state', { embedded: (env: object) => unknown }>;
    expect(log.embedded({ at: 'a' })).toBe('log at a');
    expect(state.embedded({ at: 'b' })).toBe('state store at b');
  });

  test('of a stage without a fence holds no state adapter', async () => {
    const [read, count] = await bundle(project(FLIGHTS));

    const paths = (of?: StageBundle): string[] => (of?.inputs ?? []).filter(({ bytes }) => bytes > 0).map(({ path }) => path);
    expect(paths(read)).not.toContain('millrace/functions/runtime/state.ts');
    expect(paths(count)).toContain('millrace/functions/runtime/state.ts');
  });

  describe("with Millrace's clients", () => {
    const client = "module.exports = { name: 'a client', loaded: (globalThis.clientsLoaded = (globalThis.clientsLoaded ?? 0) + 1) };\n";
    const CLIENTS = {
      ...FLIGHTS,
      'node_modules/kafkajs/index.cjs': client,
      'node_modules/kafkajs/package.json': '{ "name": "kafkajs", "main": "index.cjs" }',
      'node_modules/node-zookeeper-client/index.cjs': client,
      'node_modules/node-zookeeper-client/package.json': '{ "name": "node-zookeeper-client", "main": "index.cjs" }',
      'node_modules/millrace/functions/runtime/client.ts':
        "import { name } from 'kafkajs';\nexport const open = (): string => 'topics by ' + name;\n",
      'node_modules/millrace/functions/runtime/index.ts': (STAND_IN['node_modules/millrace/functions/runtime/index.ts'] ?? '').replace(
        "export const openKafkaLog = (): string => 'topics';",
        "export const openKafkaLog = async (): Promise<string> => (await import('./client.ts')).open();",
      ),
      'node_modules/millrace/functions/runtime/state.ts': (STAND_IN['node_modules/millrace/functions/runtime/state.ts'] ?? '').replace(
        "(): string => 'nodes'",
        "async (): Promise<string> => 'nodes by ' + (await import('node-zookeeper-client')).default.name",
      ),
    };

    test('has those that its stage can use in files of their own, read only when they are asked for', async () => {
      const [read, count] = await bundle(project(CLIENTS));

      expect(read?.clients).toEqual([join(read?.dir ?? '', 'kafkajs.js')]);
      expect(count?.clients.map((file) => basename(file))).toEqual(['kafkajs.js', 'node-zookeeper-client.js']);
      expect(readdirSync(count?.dir ?? '').sort()).toEqual(['index.js', 'kafkajs.js', 'node-zookeeper-client.js', 'package.json']);
      expect(readFileSync(count?.file ?? '', 'utf8')).not.toContain('a client');

      const loaded = (): unknown => (globalThis as { clientsLoaded?: number }).clientsLoaded;
      type Openers = Record<'log' | 'state', Record<string, () => Promise<string>>>;
      const { log, state } = (createRequire(count?.file ?? '')(count?.file ?? '') as { handler: Openers }).handler;
      expect(loaded()).toBeUndefined();
      expect(await log['kafka']?.()).toBe('topics by a client');
      expect(loaded()).toBe(1);
      expect(await state['zookeeper']?.()).toBe('nodes by a client');
      expect(loaded()).toBe(2);
    });

    test('counts their bytes, and gets another hash with another client', async () => {
      const dir = project(CLIENTS);
      const [, before] = await bundle(dir);
      writeFileSync(join(dir, 'node_modules/kafkajs/index.cjs'), `${client}exports.version = 2;\n`);

      const [, after] = await bundle(dir);

      expect(after?.hash).not.toBe(before?.hash);
      expect(readFileSync(after?.file ?? '')).toEqual(readFileSync(before?.file ?? ''));
      expect(after?.packages).toEqual(['kafkajs', 'node-zookeeper-client', 'stats']);
      expect(after?.bytes).toBe([after?.file ?? '', ...(after?.clients ?? [])].reduce((sum, file) => sum + readFileSync(file).length, 0));
    });

    test("leaves the user's own import of the same package in the bundle", async () => {
      const dir = project({ ...CLIENTS, 'src/delay.ts': "import { name } from 'kafkajs';\nexport const delay = name;\n" });

      const [read] = await bundle(dir);

      expect(readFileSync(read?.file ?? '', 'utf8')).toContain('a client');
    });
  });

  test('tells whose bytes it holds', async () => {
    const [read] = await bundle(project(FLIGHTS));

    const owners = Object.fromEntries((read?.inputs ?? []).map(({ path, owner }) => [path, owner]));
    expect(owners).toMatchObject({
      'millrace-stage:read': 'millrace',
      'millrace/functions/runtime/index.ts': 'millrace',
      'flights.ts': 'pipeline',
      'src/delay.ts': 'pipeline',
      'node_modules/stats/index.js': 'stats',
    });
    expect(read?.packages).toEqual(['stats']);
  });

  test('has the same bytes, hash and map wherever the project and the output are', async () => {
    const here = project(FLIGHTS);
    const there = join(project({}), 'a', 'deeper', 'place');
    cpSync(here, there, { recursive: true });

    const [first, second] = await Promise.all([bundle(here), bundle(there, { outDir: join(here, 'elsewhere', 'out') })]);

    expect(second.map(({ hash }) => hash)).toEqual(first.map(({ hash }) => hash));
    for (const [i, { file, sourceMap }] of first.entries()) {
      expect(readFileSync(second[i]?.file ?? '')).toEqual(readFileSync(file));
      expect(readFileSync(second[i]?.sourceMap ?? '', 'utf8')).toBe(readFileSync(sourceMap, 'utf8'));
      expect(readFileSync(sourceMap, 'utf8') + readFileSync(file, 'utf8')).not.toContain(here);
    }
  });

  test('gets another hash when its part of the plan changes', async () => {
    const dir = project(FLIGHTS);
    const plan = twoStagePlan();
    const stages = plan.stages.map((stage) => (stage.id === 'count' ? { ...stage, parallelism: 8 } : stage));

    const [before, after, again] = await Promise.all([
      bundle(dir),
      bundle(dir, { plan: { ...plan, stages } }),
      bundle(dir, { plan: { ...plan, generation: 2 } }),
    ]);

    expect(after.map(({ hash }, i) => hash === before[i]?.hash)).toEqual([true, false]);
    expect(again.map(({ hash }, i) => hash === before[i]?.hash)).toEqual([false, false]);
  });

  test('takes Millrace from the given files where the project has none installed', async () => {
    const checkout = project(STAND_IN);
    const dir = project({ 'flights.ts': PIPELINE_FILE });
    const own = join(checkout, 'node_modules/millrace/functions');

    const [read] = await bundle(dir, { alias: { millrace: join(own, 'index.ts'), 'millrace/runtime': join(own, 'runtime/index.ts') } });

    expect(read?.inputs.map(({ path }) => path)).toContain('millrace/functions/runtime/index.ts');
  });

  test('holds one copy of Millrace for a CommonJS pipeline', async () => {
    const exports = {
      '.': { import: './functions/index.ts', require: './functions/index.cjs' },
      './runtime': './functions/runtime/index.ts',
    };
    const dir = project({
      ...STAND_IN,
      'node_modules/millrace/package.json': JSON.stringify({ name: 'millrace', exports }),
      'node_modules/millrace/functions/index.cjs': "exports.pipeline = () => 'the CommonJS copy';\n",
      'flights.js': "const { pipeline } = require('millrace');\nmodule.exports = pipeline('flights');\n",
    });

    const [read] = await bundle(dir, { pipelineFile: join(dir, 'flights.js') });

    expect(read?.inputs.map(({ path }) => path).filter((path) => path.includes('functions/index'))).toEqual([
      'millrace/functions/index.ts',
    ]);
  });
});

describe('a build fails with MILLRACE_BUNDLE_FAILED and says what to do', () => {
  test('on a syntax error, with its place', async () => {
    const dir = project({ ...FLIGHTS, 'src/delay.ts': 'export const delay = 1;\nexport const = 2;\n' });

    await expect(bundle(dir)).rejects.toMatchObject({
      code: 'MILLRACE_BUNDLE_FAILED',
      message: 'cannot bundle flights.ts:\n  src/delay.ts:2:14: Expected identifier but found "="',
    });
  });

  test('on a missing package', async () => {
    const dir = project({ ...FLIGHTS, 'src/delay.ts': "import '@scope/stats/fast';\nexport const delay = 1;\n" });

    expect(await messageOf(bundle(dir))).toBe(
      'cannot bundle flights.ts:\n  src/delay.ts:1:8: Could not resolve "@scope/stats/fast"; ' +
        'run "npm install @scope/stats" in the pipeline\'s project, or correct the import',
    );
  });

  test('on a native addon, in a package or named by the user', async () => {
    const addon = { ...FLIGHTS, 'node_modules/stats/index.js': "export const { mean } = require('./build/stats.node');\n" };

    expect(await messageOf(bundle(project(addon)))).toMatch(
      /node_modules\/stats\/index\.js:1:\d+: "\.\/build\/stats\.node" is native code/,
    );
    const zeromq = { ...FLIGHTS, 'src/delay.ts': "import zmq from 'zeromq';\nexport const delay = zmq;\n" };
    expect(await messageOf(bundle(project(zeromq)))).toMatch(/src\/delay\.ts:1:\d+: "zeromq" is native code/);
  });

  test.each(['zeromq', '@aws-sdk/client-lambda', 'aws-cdk-lib/aws-lambda', 'esbuild'])('on %s in a file of Millrace', async (name) => {
    const planted = `import '${name}';\n${STAND_IN['node_modules/millrace/functions/runtime/state.ts'] ?? ''}`;
    const dir = project({ ...FLIGHTS, 'node_modules/millrace/functions/runtime/state.ts': planted });

    expect(await messageOf(bundle(dir))).toContain(
      `node_modules/millrace/functions/runtime/state.ts:1:8: Millrace itself brings "${name}" into a stage`,
    );
  });

  test('not on an AWS client that the user imports', async () => {
    const dir = project({
      ...FLIGHTS,
      'src/delay.ts': "import { send } from '@aws-sdk/client-s3';\nexport const delay = send;\n",
      'node_modules/@aws-sdk/client-s3/index.js': 'export const send = () => 1;\n',
    });

    expect((await bundle(dir))[0]?.packages).toEqual(['@aws-sdk/client-s3']);
  });

  test('and writes nothing', async () => {
    const dir = project({ ...FLIGHTS, 'src/delay.ts': 'const = 2;\n' });

    await messageOf(bundle(dir));

    expect(existsSync(join(dir, 'out'))).toBe(false);
  });
});

test('a pipeline file that is not there is MILLRACE_INPUT_UNREADABLE', async () => {
  const dir = project({});

  await expect(bundle(dir)).rejects.toMatchObject({ code: 'MILLRACE_INPUT_UNREADABLE' });
  await expect(bundle(dir, { pipelineFile: dir })).rejects.toMatchObject({ code: 'MILLRACE_INPUT_UNREADABLE' });
});

test("esbuild's warnings reach the caller with their place", async () => {
  const dir = project({ ...FLIGHTS, 'src/delay.ts': 'export const delay = import.meta.url;\n' });
  const warnings: string[] = [];

  await bundle(dir, { onWarning: (warning) => warnings.push(warning) });

  expect(warnings[0]).toMatch(/^src\/delay\.ts:1:\d+: "import\.meta" is not available/);
});
