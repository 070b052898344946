/** `file.sink` and `file.source` from the command line: what a killed run has left is finished by the next, each record once. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, jest, test } from '@jest/globals';
import { millrace, pipelineFile, Projects, spawnMillrace } from './command.ts';

const projects = new Projects();
afterAll(() => projects.dispose());

jest.setTimeout(120_000); // a busy machine is no fault

const RECORDS = 60_000;
const KEYS = 97;
const PIPELINE = pipelineFile(
  'files',
  `env.fromSource(file.source({ path: 'in.csv', format: 'csv' }), { uid: 'in' })
    .map(({ n }) => Number(n))
    .keyBy((n) => n % ${KEYS})
    .count().uid('counts')
    .sinkTo(file.sink({ path: 'out', format: 'csv', columns: ['key', 'count'] }));`,
  '{ parallelism: 3, batchSize: 500 }',
);

function inputOf(records: number): string {
  return ['n', ...Array.from({ length: records }, (_, n) => String(n))].join('\n');
}

/** What a reader that comes by sees: each visible file is whole. */
function rowsIn(dir: string): readonly string[] {
  const parts = readdirSync(join(dir, 'out')).filter((name) => name.startsWith('part-'));
  return parts.flatMap((name) => {
    const [header, ...rows] = readFileSync(join(dir, 'out', name), 'utf8').split('\r\n');
    expect(header).toBe('key,count');
    expect(rows.pop()).toBe('');
    return rows;
  });
}

function expectedRows(): readonly string[] {
  return Array.from({ length: RECORDS }, (_, n) => `${n % KEYS},${Math.floor(n / KEYS) + 1}`);
}

test('killed at moments that nobody chose, what is visible is never doubled, and in the end complete', async () => {
  const dir = projects.create({ 'p.ts': PIPELINE, 'in.csv': inputOf(RECORDS) });
  const run = () => spawnMillrace(dir, ['dev', 'p.ts', '--data', 'data', '--json', '--determinism-every', '0']);
  const expected = new Set(expectedRows());
  const delays: number[] = [];
  for (let kills = 0; kills < 4; kills++) {
    const { child, ended, shows } = run();
    const delay = Math.floor(Math.random() * 800);
    delays.push(delay);
    const isOver = await shows(/Invoke API/).then(() =>
      Promise.race([new Promise<false>((resolve) => setTimeout(() => resolve(false), delay)), ended.then(() => true)]),
    );
    child.kill('SIGKILL');
    await ended;
    const seen = rowsIn(dir);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.every((row) => expected.has(row))).toBe(true);
    if (isOver) break;
  }
  process.stdout.write(`killed after ${delays.join(', ')} ms\n`); // what a failure is to be repeated with

  const last = await run().ended;

  expect(last.stderr).not.toContain('error MILLRACE');
  expect(last.code).toBe(0);
  expect([...rowsIn(dir)].sort()).toEqual([...expected].sort());
});

test('a run that has ended has nothing left to do the next time, also where the first stage writes the files', async () => {
  const dir = projects.create({
    'p.ts': pipelineFile(
      'copy',
      "env.fromSource(file.source({ path: env.param('in'), format: 'csv' }), { uid: 'in' }).sinkTo(file.sink({ path: env.param('out'), format: 'json-lines' }));",
    ),
    'in.csv': inputOf(10),
  });
  const dev = () =>
    millrace(dir, ['dev', 'p.ts', '--in', join(dir, 'in.csv'), '--out', join(dir, 'out'), '--data', join(dir, 'data'), '--json']);

  const first = await dev();
  const parts = readdirSync(join(dir, 'out'));
  const second = await dev();

  expect([first.code, second.code]).toEqual([0, 0]);
  expect(JSON.parse(second.stdout)).toMatchObject({ ok: true, finished: true, records: 0 });
  expect(parts.length).toBeGreaterThan(1);
  expect(readdirSync(join(dir, 'out'))).toEqual(parts);
});

test('what is wrong with the files is told before anything runs', async () => {
  const dir = projects.create({ 'p.ts': PIPELINE, 'in.csv': 'n,n\n1,2\n' });
  const cwd = process.cwd();
  process.chdir(dir); // paths are relative to where the command runs
  try {
    const header = await millrace(dir, ['dev', 'p.ts']);
    writeFileSync(join(dir, 'in.csv'), inputOf(3));
    writeFileSync(join(dir, 'out'), 'no folder');
    const folder = await millrace(dir, ['dev', 'p.ts']);

    expect([header.code, folder.code]).toEqual([1, 1]);
    expect(header.stderr).toContain(
      'error MILLRACE_INPUT_UNREADABLE: in.csv is no CSV: its first row can\'t name its columns: two are named "n"',
    );
    expect(folder.stderr).toContain('error MILLRACE_OUTPUT_UNWRITABLE: out cannot be written to: ');
    expect(header.stdout).not.toContain('Invoke API');
  } finally {
    process.chdir(cwd);
  }
});
