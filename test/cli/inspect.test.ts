/** What `plan`, `config` and `help` tell of a pipeline, without running it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { planPipeline } from '../../functions/graph/plan.ts';
import { loadPipeline } from '../../local/load-pipeline.ts';
import { millrace, pipelineFile, Projects } from './command.ts';

const projects = new Projects();
afterAll(() => projects.dispose());

const FLIGHTS = 'functions/pipelines/flight-delays.ts';
const alias = { millrace: join(process.cwd(), 'functions/index.ts') };

describe('millrace config', () => {
  const dir = projects.create({
    'p.ts': pipelineFile(
      'settings',
      "env.param('apiToken', { default: '' }); env.param('broker', { default: 'local' }); env.param('depth', { default: '1' }); env.fromElements(1).print();",
      '{ parallelism: 2, batchSize: 20, frameBytes: 4096, timeoutMs: 9000 }',
    ),
    'millrace.config.json': JSON.stringify({
      batchSize: 30,
      frameBytes: 5000,
      timeoutMs: 8000,
      params: { broker: 'kafka://me:hush@host:9092' },
    }),
  });
  const env = { MILLRACE_FRAME_BYTES: '6000', MILLRACE_TIMEOUT_MS: '7000', MILLRACE_NAMESPACE: '' };

  async function readConfig(args: readonly string[] = []): Promise<Record<string, { value: string; source: string }>> {
    const { code, stdout } = await millrace(dir, ['config', 'p.ts', ...args], env);
    expect(code).toBe(0);
    const rows = stdout.trimEnd().split('\n');
    return Object.fromEntries(
      rows.map((row) => row.split(/ {2,}/)).map(([name = '', value = '', source = '']) => [name, { value, source }]),
    );
  }

  test('prints each value and where it came from: flag > environment > file > pipeline > default', async () => {
    const file = `file ${join(dir, 'millrace.config.json')}`;

    const config = await readConfig(['--timeout-ms', '6500', '--depth', '3']);

    expect(config).toMatchObject({
      timeoutMs: { value: '6500', source: 'flag --timeout-ms' },
      frameBytes: { value: '6000', source: 'environment MILLRACE_FRAME_BYTES' },
      batchSize: { value: '30', source: file },
      parallelism: { value: '2', source: 'pipeline options' },
      memoryMb: { value: '512', source: 'default' },
      namespace: { value: 'default', source: 'default' },
      data: { value: '(none)', source: 'default' },
      'param depth': { value: '3', source: 'flag --param depth' },
    });
  });

  test('shows no secret', async () => {
    const { stdout } = await millrace(dir, ['config', 'p.ts', '--apiToken', 'abc123'], env);

    expect(stdout).toMatch(/^param apiToken +\*{8} +flag --param apiToken$/m);
    expect(stdout).toContain('kafka://me:********@host:9092');
    expect(stdout).not.toMatch(/abc123|hush/);
  });

  test('the values printed are those that a plan is made with', async () => {
    const { stdout } = await millrace(dir, ['plan', 'p.ts', '--json', '--max-retries', '-1'], env);

    expect(JSON.parse(stdout).settings).toMatchObject({ timeoutMs: 7000, frameBytes: 6000, batchSize: 30 });
  });

  test('takes another file, and the folder of the call for the usual one', async () => {
    writeFileSync(join(dir, 'other.json'), '{ "batchSize": 40 }');

    expect((await readConfig(['--config', 'other.json']))['batchSize']).toEqual({ value: '40', source: `file ${join(dir, 'other.json')}` });
    expect((await millrace('/', ['config', join(dir, 'p.ts')])).stdout).toMatch(/^batchSize +20 +pipeline options$/m);
  });
});

describe('millrace plan', () => {
  test('--json prints the plan as data', async () => {
    const { code, stdout, stderr } = await millrace(process.cwd(), ['plan', FLIGHTS, '--json', '--repeat', '2', '--namespace', 'spring']);

    const graph = (await loadPipeline(FLIGHTS, { alias })).build({ repeat: '2' });
    const plan = planPipeline(graph, { namespace: 'spring', generation: 1 });
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toEqual(JSON.parse(JSON.stringify(plan)));
  });

  test('prints text for people, or a Mermaid diagram', async () => {
    const text = await millrace(process.cwd(), ['plan', FLIGHTS]);
    const diagram = await millrace(process.cwd(), ['plan', FLIGHTS, '--mermaid']);

    expect(text.stdout).toMatch(/^pipeline flight-delays\n[^]*stage origin-delays: 4 tasks, fenced\n/);
    expect(diagram.stdout).toMatch(/^(flowchart|graph) /);
  });
});

describe('help', () => {
  test.each([[['help']], [['--help']], [['-h']], [['dev', 'p.ts', '--help']]])('millrace %j goes to stdout', async (args) => {
    const { code, stdout, stderr } = await millrace('/', args);

    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^millrace: [^]*millrace dev FILE[^]*--data DIR[^]*--max-retries/);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(125);
  });

  test('stands in for a command that is not given, which is an error', async () => {
    expect(await millrace('/', [])).toMatchObject({ code: 2, stdout: expect.stringContaining('millrace dev FILE') });
  });

  test("--version is the package's", async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

    expect((await millrace('/', ['--version'])).stdout).toBe(`millrace ${version}\n`);
  });
});
