/** `millrace dlq replay` on the embedded log: what is brought back is applied once, however often it is asked for. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openDataDir } from '../../local/data-dir.ts';
import { readTopicFiles } from '../../local/log/topic-snapshot.ts';
import { type Ended, millrace, pipelineFile, Projects } from './command.ts';

const projects = new Projects();
afterAll(() => projects.dispose());

const LINES = ['{"k":"a","n":1}', '{"k":"a","n":-3}', 'no json', '{"k":"b","n":4}', '{"k":"b","n":5}', '{"k":"a","n":6}'];
/** `in` throws at negative numbers, `sum` at 4 and 5, until they are mended. */
function sums(isMended: boolean, parallelism = 1): string {
  return pipelineFile(
    'sums',
    `env.fromSource({ kind: 'feed', name: 'lines', bounded: true, value: json(), async *read() { yield ${JSON.stringify(LINES)}.map((line) => Buffer.from(line)); } }, { uid: 'in' })
      .filter(({ n }) => { if (n < 0 && !${isMended}) throw new Error('negative: ' + n); return true; })
      .keyBy(({ k }) => k)
      .process({
        state: { total: valueState('total', { default: 0 }) },
        *processElement({ n }, ctx) {
          ctx.state.total.update(ctx.state.total.value() + n);
          if (n > 3 && n < 6 && !${isMended}) throw new Error('too many: ' + n);
          ctx.timerService.registerEventTimeTimer(100);
          yield ctx.key + ' ' + ctx.state.total.value();
        },
        *onTimer(time, ctx) { yield ctx.key + ' ended at ' + ctx.state.total.value(); },
      }).uid('sum').sinkTo(kafka.sink({ topic: 'out', value: json() }));`,
    `{ parallelism: ${parallelism} }`,
  );
}

interface Replayed {
  readonly offset: number;
  readonly stage: string;
  readonly outcome: string;
  readonly why?: string;
}

describe('millrace dlq replay', () => {
  let dir = '';
  const run = (...args: string[]): Promise<Ended> => millrace(dir, [...args, '--data', join(dir, 'data')]);
  const mend = (): void => writeFileSync(join(dir, 'p.ts'), sums(true));
  const replay = async (...args: string[]): Promise<Replayed[]> => {
    const { stdout } = await run('dlq', 'replay', 'p.ts', '--json', ...args);
    return stdout.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Replayed); // prettier-ignore
  };
  const outcomes = async (...args: string[]): Promise<string[]> =>
    (await replay(...args)).map(({ offset, stage, outcome }) => `${offset} ${stage} ${outcome}`);
  const total = async (key: string): Promise<unknown> => {
    const { stdout } = await run('state', 'get', 'p.ts', 'sum', 'sum', 'total', key, '--json');
    return (JSON.parse(stdout) as { value: unknown }).value;
  };

  const begin = async (): Promise<void> => {
    dir = projects.create({ 'p.ts': sums(false) });
    expect(await run('dev', 'p.ts')).toMatchObject({ code: 0 });
  };
  const resultsOf = (): unknown[] => {
    const results: unknown[] = [];
    readTopicFiles(join(dir, 'data'), 'out', ({ value }) => results.push(JSON.parse(Buffer.from(value ?? []).toString())));
    return results;
  };

  test('brings every dead letter back once, in any order, however often it is asked for', async () => {
    await begin();
    expect([await total('a'), (await run('state', 'get', 'p.ts', 'sum', 'sum', 'total', 'b')).code]).toEqual([7, 1]);
    const letters = (await replay('--all', '--dry-run')).toSorted((a, b) => a.stage.localeCompare(b.stage));
    mend();

    const [last] = letters.filter(({ stage }) => stage === 'sum').toReversed();
    expect(await outcomes(String(last?.offset))).toEqual([`${last?.offset} sum replayed`]);
    expect((await outcomes('--stage', 'sum')).map((text) => text.replace(/^\d+ /, ''))).toEqual(['sum replayed', 'sum replayed']);
    expect((await replay('--stage', 'in')).map(({ outcome }) => outcome).toSorted()).toEqual(['failed', 'replayed']);
    expect((await replay('--stage', 'in')).map(({ outcome }) => outcome).toSorted()).toEqual(['failed', 'replayed']);
    expect(await run('dev', 'p.ts')).toMatchObject({ code: 0 });

    expect([await total('a'), await total('b')]).toEqual([4, 9]);
    // The timers of replayed records fire, though the input has ended.
    expect(resultsOf()).toContain('b ended at 9');
    expect((await replay('--stage', 'sum')).map(({ outcome }) => outcome)).toEqual(['applied', 'applied']);
    expect((await replay('--all')).map(({ outcome }) => outcome).toSorted()).toEqual(['applied', 'applied', 'failed', 'replayed']);
    expect(await run('dev', 'p.ts')).toMatchObject({ code: 0 });
    expect([await total('a'), await total('b')]).toEqual([4, 9]);
  }, 120_000);

  test('a record that fails again is the same dead letter, and can be replayed again', async () => {
    await begin();
    expect((await replay('--stage', 'sum')).map(({ outcome }) => outcome)).toEqual(['replayed', 'replayed']);
    expect(await run('dev', 'p.ts')).toMatchObject({ code: 0 });
    const listed = await run('dlq', 'ls', 'p.ts', '--stage', 'sum');
    expect(listed.stdout).toContain('2 of them copies; 2 dead letters');
    mend();

    expect((await replay('--code', 'MILLRACE_USER_FUNCTION')).map(({ outcome }) => outcome)).toEqual(['replayed', 'replayed', 'replayed']);
    expect(await run('dev', 'p.ts')).toMatchObject({ code: 0 });

    expect([await total('a'), await total('b')]).toEqual([4, 9]);
  }, 120_000);
});

describe('millrace dlq replay tells', () => {
  let dir = '';
  const run = (...args: string[]): Promise<Ended> => millrace(dir, [...args, '--data', join(dir, 'data')]);
  beforeAll(async () => {
    dir = projects.create({ 'p.ts': sums(false) });
    expect(await run('dev', 'p.ts')).toMatchObject({ code: 0 });
  }, 60_000);

  test('what it has done, and exits with 1 if one has failed again', async () => {
    const dry = await run('dlq', 'replay', 'p.ts', '--all', '--dry-run');
    const failed = await run('dlq', 'replay', 'p.ts', '--code', 'MILLRACE_DECODE_FAILED');

    expect(dry).toMatchObject({ code: 0, stdout: expect.stringContaining('topic default.sums.dlq: 4 would be replayed\n') });
    expect(failed.stdout).toMatch(/^ {2}\d +in +MILLRACE_DECODE_FAILED +failed again: MILLRACE_DECODE_FAILED: the record is no JSON/m);
    expect(failed.code).toBe(1);
    expect((await run('dlq', 'replay', 'p.ts', '--code', 'MILLRACE_OTHER')).stdout).toBe(
      'topic default.sums.dlq: no dead letter is chosen\n',
    );
  });

  test('that a run is using the data folder', async () => {
    const lock = openDataDir(join(dir, 'data'));
    const refused = await run('dlq', 'replay', 'p.ts', '--stage', 'sum');
    lock.release();

    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('error MILLRACE_DATA_INVALID: process ') });
  });

  test('what a stage refuses', async () => {
    const file = (body: string): string => pipelineFile('bare', `const lines = { kind: 'feed', name: 'lines', bounded: true, value: json(), async *read() { yield [Buffer.from('no json')]; } };
      ${body}`, '{ parallelism: 1 }'); // prettier-ignore
    const own = projects.create({
      'sink.ts': file("env.fromSource(lines, { uid: 'in' }).sinkTo(kafka.sink({ topic: 'out', value: json() }));"),
      'feed.ts': file("env.fromSource(lines, { uid: 'in' }).map((x) => x).journal().sinkTo(kafka.sink({ topic: 'out', value: json() }));"),
    });
    const results: Ended[] = [];
    for (const name of ['sink', 'feed']) {
      const flags = ['--data', join(own, name)];
      expect(await millrace(own, ['dev', `${name}.ts`, ...flags])).toMatchObject({ code: 0 });
      results.push(await millrace(own, ['dlq', 'replay', `${name}.ts`, '--all', ...flags]));
    }
    const [sink, feed] = results;

    expect(sink).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('error MILLRACE_REPLAY_REFUSED: dead letters of stage in: it has no fence'),
    });
    expect(feed?.stderr).toContain('they must come through its topic default.bare.in, whose offsets are those of its source');
    const again = await millrace(own, ['dlq', 'replay', 'sink.ts', '--all', '--at-least-once', '--data', join(own, 'sink')]);
    expect(again).toMatchObject({ code: 1, stdout: expect.stringContaining('1 failed again') });
  }, 60_000);

  test.each([
    [[], 2, 'MILLRACE_FLAG_INVALID: say which dead letters to replay: OFFSETS (3,7-9), --stage STAGE, --code CODE, or --all'],
    [['0', '--all'], 2, 'MILLRACE_FLAG_INVALID: give either OFFSETS or --all, not both'],
    [['0-'], 2, "MILLRACE_FLAG_INVALID: OFFSETS is '0-'; give offsets and ranges of them, for example 3,7-9"],
    [['3-1'], 2, "MILLRACE_FLAG_INVALID: OFFSETS is '3-1'"],
    [['0,9-11'], 1, 'MILLRACE_MESSAGE_MISSING: topic default.sums.dlq holds no dead letter at offsets 9 to 11.'],
    [['--stage', 'nope'], 2, "MILLRACE_FLAG_INVALID: there is no stage 'nope'; there are in, sum"],
  ])('refuses %j', async (args, code, message) => {
    expect(await run('dlq', 'replay', 'p.ts', ...args)).toMatchObject({ code, stderr: expect.stringContaining(message) });
  });
});
