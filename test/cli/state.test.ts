/** `millrace state`: what tasks have committed, of every kind of state, while a run is at work or when it has ended. Nothing is changed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Ended, millrace, pipelineFile, Projects, spawnMillrace } from './command.ts';

const projects = new Projects();
afterAll(() => projects.dispose());

const INPUT = [
  { k: 'a', n: 1 },
  { k: 'b', n: 2 },
  { k: 'a', n: 4 },
  { k: '-dash', n: 7 },
];

/** State of every kind, under string keys. */
const KINDS = pipelineFile(
  'kinds',
  `const records = env.fromCollection(${JSON.stringify(INPUT)}, { uid: 'in' });
  const states = records.keyBy(({ k }) => k).process({
    state: {
      last: valueState('last', Types.number), all: listState('all', Types.number), by: mapState('by', Types.string, Types.number),
      sum: reducingState('sum', { reduce: (a, b) => a + b }),
      mean: aggregatingState('mean', { createAccumulator: () => ({ n: 0, sum: 0 }), add: ({ n, sum }, value) => ({ n: n + 1, sum: sum + value }),
        getResult: ({ n, sum }) => sum / n }),
    },
    processElement({ k, n }, ctx) {
      ctx.state.last.update(n); ctx.state.all.add(n); ctx.state.by.put('n' + (n % 2), n); ctx.state.sum.add(n); ctx.state.mean.add(n);
      return [{ k, n }];
    },
  }).uid('states');
  states.keyBy(({ n }) => n).count().uid('numbers').print();`,
  '{ parallelism: 3 }',
).replace('valueState }', 'aggregatingState, listState, mapState, reducingState, valueState }');

describe('millrace state', () => {
  let dir = '';
  const state = (...args: string[]): Promise<Ended> => millrace(dir, ['state', ...args, '--data', join(dir, 'data')]);
  const jsonOf = async (...args: string[]): Promise<unknown[]> => {
    const { stdout, code } = await state(...args, '--json');
    expect(code).toBe(0);
    return stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as unknown); // prettier-ignore
  };

  beforeAll(async () => {
    dir = projects.create({ 'p.ts': KINDS });
    expect(await millrace(dir, ['dev', 'p.ts', '--data', join(dir, 'data')])).toMatchObject({ code: 0, stderr: '' });
  }, 60_000);

  test.each([
    ['last', [4]],
    ['all', [[1, 4]]],
    ['by', [[['n0', 4], ['n1', 1]]]], // prettier-ignore
    ['sum', [5]],
    ['mean', [{ n: 2, sum: 5 }]],
  ])('get shows what a key holds in %s', async (name, values) => {
    const found = await jsonOf('get', 'p.ts', 'states', 'states', name, 'a');

    expect(found).toMatchObject(values.map((value) => ({ stage: 'states', state: name, key: 'a', keyType: 'string', value })));
  });

  test('get finds a number by its text, and says that it is one', async () => {
    const [{ state: name }] = (await tablesOf('numbers')) as [{ state: string }];

    const { stdout } = await state('get', 'p.ts', 'numbers', 'numbers', name, '4');

    expect(stdout).toMatch(/^4 \(number, task \d, commit \d+\): 1\n$/);
  });

  test('get takes a key that looks like a flag behind --', async () => {
    const ended = await millrace(dir, [
      'state',
      'get',
      '--json',
      '--data',
      join(dir, 'data'),
      'p.ts',
      'states',
      'states',
      'sum',
      '--',
      '-dash',
    ]);

    expect(JSON.parse(ended.stdout)).toMatchObject({ key: '-dash', value: 7 });
  });

  async function tablesOf(stage: string, ...more: string[]): Promise<unknown[]> {
    const [first] = (await jsonOf('count', 'p.ts', stage, ...more)) as { tables: unknown[] }[];
    return first?.tables ?? [];
  }

  test('count adds the tasks up, or tells them apart', async () => {
    const sums = await tablesOf('states');
    const byTask = (await tablesOf('states', 'states/by')) as { task: string; keys: number; entries: number }[];

    expect(sums).toContainEqual({
      id: 'map:states/by',
      kind: 'map',
      operator: 'states',
      state: 'by',
      keys: 3,
      entries: 4,
      bytes: expect.any(Number),
    });
    expect(byTask.reduce((sum, { entries }) => sum + entries, 0)).toBe(4);
    expect(byTask.length).toBeGreaterThan(1);
  });

  test('ls shows the fence of each task', async () => {
    const stages = (await jsonOf('ls', 'p.ts')) as { stage: string; tasks: Record<string, unknown>[] }[];
    const { stdout } = await state('ls', 'p.ts');

    expect(stages.map(({ stage, tasks }) => [stage, tasks.length])).toEqual([
      ['states', 3],
      ['numbers', 3],
    ]);
    for (const { tasks } of stages)
      for (const task of tasks) expect(task).toMatchObject({ watermark: 'Infinity', gaps: 0, verdicts: 0, pending: 0 });
    expect(stdout).toMatch(/^ {2}default\.kinds\.states\.g1-0 +\d+ {2}\+∞ /m);
    expect(stdout).toMatch(/^ {2}states +by +map +3 +4 +\d+$/m);
  });

  test('changes nothing on disk, and needs no lock', async () => {
    const path = join(dir, 'data', 'state.log');
    const before = readFileSync(path);
    await state('ls', 'p.ts');

    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test.each([
    [['ls'], 2, 'MILLRACE_FLAG_INVALID: millrace state ls needs a pipeline file: millrace state ls FILE'],
    [[], 2, 'MILLRACE_FLAG_INVALID: millrace state needs an action; there are ls, count, get'],
    [['rm', 'p.ts'], 2, "MILLRACE_FLAG_INVALID: there is no action 'rm' of millrace state; there are ls, count, get"],
    [['get', 'p.ts', 'states', 'states'], 2, 'MILLRACE_FLAG_INVALID: STATE is missing: millrace state get FILE STAGE OPERATOR STATE KEY'],
    [['ls', 'p.ts', 'more'], 2, "MILLRACE_FLAG_INVALID: unexpected 'more' behind p.ts"],
    [['count', 'p.ts', 'in'], 2, "MILLRACE_FLAG_INVALID: there is no stage with state 'in'; there are states, numbers"],
    [['count', 'p.ts', 'states', 'by'], 2, "MILLRACE_FLAG_INVALID: there is no table 'by'; there are states/by, "],
    [['get', 'p.ts', 'states', 'other', 'by', 'a'], 2, "there is no operator with state in stage states 'other'; there are states"],
    [
      ['get', 'p.ts', 'states', 'states', 'nope', 'a'],
      2,
      "there is no state of operator states 'nope'; there are last, all, by, sum, mean",
    ],
    [
      ['get', 'p.ts', 'states', 'states', 'by', 'zz'],
      1,
      "MILLRACE_STATE_MISSING: state by of operator states holds nothing under key 'zz'",
    ],
    [['ls', 'p.ts', '--namespace', 'other'], 1, 'MILLRACE_STATE_MISSING: pipeline kinds has committed nothing in namespace other yet'],
  ])('refuses %j', async (args, code, message) => {
    expect(await state(...args)).toMatchObject({ code, stderr: expect.stringContaining(message) });
  });

  test('refuses a pipeline without state', async () => {
    const stateless = projects.create({ 'p.ts': pipelineFile('stateless', 'env.fromElements(1).print();') });

    expect(await millrace(stateless, ['state', 'ls', 'p.ts', '--data', join(dir, 'data')])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('MILLRACE_STATE_MISSING: no stage of pipeline stateless keeps state'),
    });
  });

  test('refuses a store that is not there, or in memory, or does not answer', async () => {
    const elsewhere = await millrace(dir, ['state', 'ls', 'p.ts', '--data', join(dir, 'nowhere')]);
    const nowhere = await millrace(dir, ['state', 'ls', 'p.ts']);
    const unreachable = await millrace(dir, ['state', 'ls', 'p.ts', '--zookeeper', '127.0.0.1:1'], {
      MILLRACE_ZOOKEEPER_REQUEST_MS: '200',
    });

    expect(elsewhere).toMatchObject({ code: 1, stderr: expect.stringContaining('error MILLRACE_STATE_MISSING: --data') });
    expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining('a run keeps its state in memory') });
    expect(unreachable).toMatchObject({ code: 1, stderr: expect.stringMatching(/error MILLRACE_CONNECTION_LOST: .*127\.0\.0\.1:1/) });
  });
});

test('state can be looked at while the run that writes it is at work', async () => {
  const text = pipelineFile(
    'busy',
    `env.fromSource({ kind: 'feed', name: 'slow', bounded: true, value: json(), async *read() {
      yield [json().encode('k')];
      await new Promise(() => setInterval(() => undefined, 1000));
    } }, { uid: 'in' }).keyBy((key) => key).count().uid('count').print('seen');`,
    '{ parallelism: 1 }',
  );
  const dir = projects.create({ 'p.ts': text });
  const run = spawnMillrace(dir, ['dev', 'p.ts', '--data', 'data']);
  await run.shows(/seen>/);

  let stdout = '';
  // What is printed goes out before the commit.
  while (!stdout.includes('"keys":1'))
    ({ stdout } = await millrace(dir, ['state', 'count', 'p.ts', '--data', join(dir, 'data'), '--json']));
  run.child.kill('SIGKILL');
  await run.ended;

  expect(JSON.parse(stdout)).toMatchObject({ stage: 'count', tables: [{ operator: 'count', keys: 1, entries: 1 }] });
}, 60_000);
