/** Runs of `millrace dev` from the first record to the exit code: what it tells people and machines, and how it ends. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { millrace, pipelineFile, Projects, spawnMillrace } from './command.ts';

const projects = new Projects();
afterAll(() => projects.dispose());

const WORDS = `env.fromCollection(['a', 'b', 'a', '', 'c', 'a'], { uid: 'words', parallelism: 2 })
    .map((word) => { if (word === '') throw new RangeError('an empty word'); return { word }; })
    .keyBy(({ word }) => word)
    .process({
      state: { seen: valueState('seen', { default: 0 }) },
      processElement({ word }, ctx) {
        ctx.state.seen.update(ctx.state.seen.value() + 1);
        return [{ word, count: ctx.state.seen.value() }];
      },
    }).uid('count')
    .sinkTo(kafka.sink({ topic: 'counts', value: json(), key: ({ word }) => word }));`;

describe('a bounded pipeline', () => {
  const dir = projects.create({ 'words.ts': pipelineFile('words', WORDS, '{ parallelism: 2 }') });

  test('ends by itself, with a table of results, the dead letters and a report', async () => {
    const { code, stdout, stderr } = await millrace(dir, ['dev', 'words.ts']);

    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toContain(
      '\ntopic counts: 5 messages; the last of each of 3 keys\n  word  count\n  a         3\n  b         1\n  c         1\n',
    );
    expect(stdout).toContain('\ndead letters in topic default.words.dlq: 1\n  1 × MILLRACE_USER_FUNCTION in stage words: an empty word\n');
    expect(stdout).toContain('\nwords: all input is through; 6 records in ');
    expect(stdout).not.toContain('\x1b');
  });

  test('with --json writes one line to stdout, and all else to stderr', async () => {
    const { code, stdout, stderr } = await millrace(dir, ['dev', 'words.ts', '--json']);

    expect(code).toBe(0);
    expect(stdout).toMatch(/^\{.*\}\n$/);
    expect(stderr).toContain('topic counts: 5 messages');
    const summary = JSON.parse(stdout);
    expect(summary).toMatchObject({ pipeline: 'words', ok: true, finished: true, records: 6, deadLetters: 1, retries: expect.any(Number) });
    expect(summary.seconds).toBeGreaterThan(0);
    expect(summary.recordsPerSecond).toBe(Math.round(6 / summary.seconds));
    expect(summary.latencyMs.p99).toBeGreaterThanOrEqual(summary.latencyMs.p50);
    expect(summary.hops).toHaveLength(2);
    expect(summary.hops[0]).toMatchObject({ stage: 'words', kind: 'source', recordsIn: 6, recordsOut: 5, deadLetters: 1, lag: 0 });
    expect(summary.hops[1]).toMatchObject({ stage: 'count', kind: 'kafka', recordsIn: 5, recordsOut: 5, deadLetters: 0, lag: 0 });
    for (const hop of summary.hops) {
      const figures = ['bytes', 'rate', 'seconds', 'batches', 'coldStarts', 'retries', 'throttles'].map((name) => hop[name]);
      expect(figures.every((figure) => Number.isFinite(figure) && figure >= 0)).toBe(true);
      expect(hop.latencyMs).toEqual({ p50: expect.any(Number), p99: expect.any(Number) });
    }
  });

  test('without data ends at once', async () => {
    const empty = projects.create({ 'p.ts': pipelineFile('empty', "env.fromCollection([], { uid: 'nothing' }).print();") });

    const { code, stdout } = await millrace(empty, ['dev', 'p.ts', '--json']);

    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, finished: true, records: 0, recordsPerSecond: 0, latencyMs: null });
  });

  test('runs states that expire and have versions, which only their own bundles can', async () => {
    const body = `env.fromCollection(['a', 'a'], { uid: 'letters' }).keyBy((letter) => letter).process({
      state: { seen: valueState('seen', { default: 0, ttl: '1 hour', version: 2, migrate: (old) => Number(old) }) },
      *processElement(letter, { state }) {
        state.seen.update(state.seen.value() + 1);
        yield letter + state.seen.value();
      },
    }).uid('op').print();`;
    const { stdout } = await millrace(projects.create({ 'p.ts': pipelineFile('lives', body) }), ['dev', 'p.ts']);

    expect(stdout.match(/^a[0-9]+$/gm)).toEqual(['a1', 'a2']);
  });

  test('prints at most ten lines a second, and counts the rest', async () => {
    const body = "env.fromCollection(Array.from({ length: 500 }, (_, i) => 'line ' + i), { uid: 'lines' }).print();";
    const { stdout } = await millrace(projects.create({ 'p.ts': pipelineFile('lines', body) }), ['dev', 'p.ts']);

    const printed = stdout.match(/^line [0-9]+$/gm) ?? [];
    expect(printed.length).toBeGreaterThanOrEqual(10);
    expect(printed.length).toBeLessThan(100);
    expect(new Set(printed).size).toBe(printed.length);
    expect(stdout).toMatch(/^… and [0-9]+ more lines$/m);
  });
});

describe('a pipeline without an end', () => {
  const ENDLESS = `env.fromCollection([1, 2, 3], { uid: 'numbers' })
    .sinkTo(kafka.sink({ topic: 'numbers', value: json(), key: (n) => String(n) }));
  env.fromSource(kafka.source({ topic: 'numbers', value: json() }), { uid: 'again' })
    .keyBy((n) => n % 2).count().uid('count').print('count');`;
  const dir = projects.create({ 'p.ts': pipelineFile('endless', ENDLESS, '{ parallelism: 2 }') });

  test('runs until SIGINT, then drains, reports and exits with 0', async () => {
    const { child, ended, shows } = spawnMillrace(dir, ['dev', 'p.ts', '--json']);
    await shows(/count> .*2/);
    child.kill('SIGINT');

    const { code, stdout, stderr } = await ended;

    expect(code).toBe(0);
    expect(stderr).toContain('stopping: what is in flight ends first');
    expect(stderr).toContain('endless: stopped;');
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, finished: false, hops: expect.any(Array) });
    const hops = JSON.parse(stdout).hops as { stage: string; recordsIn: number }[];
    expect(Object.fromEntries(hops.map(({ stage, recordsIn }) => [stage, recordsIn]))).toEqual({ numbers: 3, again: 3, count: 3 });
  });

  test('SIGTERM does the same', async () => {
    const { child, ended, shows } = spawnMillrace(dir, ['dev', 'p.ts']);
    await shows(/count> .*2/);
    child.kill('SIGTERM');

    expect(await ended).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('an interrupt while the run is being started', () => {
  // The command's own process loads the file, and waits there until the signal is on its way.
  const SLOW = `import { existsSync } from 'node:fs';
${pipelineFile(
  'slow',
  `if (process.env['GO']) {
    process.stderr.write('loading\\n');
    while (!existsSync(process.env['GO'])) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
  env.fromElements(1).print();`,
)}`;

  test.each([
    ['SIGINT', 'the command', 1],
    ['SIGTERM', 'the command', 1],
    ['SIGINT', 'all that a terminal reaches, esbuild too', -1],
  ] as const)('ends it well: %s to %s', async (signal, _, sign) => {
    const dir = projects.create({ 'p.ts': SLOW });
    const { child, ended, shows } = spawnMillrace(dir, ['dev', 'p.ts', '--json'], { GO: join(dir, 'go') }, sign < 0);
    await shows(/loading/);
    process.kill(sign * (child.pid ?? 0), signal);
    writeFileSync(join(dir, 'go'), '');

    const { code, stdout, stderr } = await ended;

    expect(stderr).toContain('stopped before the start\n');
    expect(stderr).not.toContain('Invoke API');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, finished: false, records: 0, hops: [] });
  });

  test('hides no other error', async () => {
    const dir = projects.create({ 'p.ts': pipelineFile('syntax', 'let a = ;') });

    const ended = await millrace(dir, ['dev', 'p.ts'], {}, { onInterrupt: (first) => first() });

    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('MILLRACE_BUNDLE_FAILED');
  });
});

test('a second interrupt ends the process at once, and leaves no bundles behind', async () => {
  const STUCK = `env.fromElements(1).map((n) => {
    console.error('working');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30_000);
    return n;
  }).print();`;
  const dir = projects.create({ 'p.ts': pipelineFile('stuck', STUCK), 'tmp/.keep': '' });
  const { child, ended, shows } = spawnMillrace(dir, ['dev', 'p.ts'], { TMPDIR: join(dir, 'tmp') });
  await shows(/working|has been fed/);
  child.kill('SIGINT');
  await shows(/stopping/);
  const begun = performance.now();
  child.kill('SIGINT');

  const { code } = await ended;

  expect(code).toBe(130);
  expect(performance.now() - begun).toBeLessThan(5000);
  expect(readdirSync(join(dir, 'tmp')).filter((name) => name.startsWith('millrace-bundles'))).toEqual([]);
});

test('a reader that has seen enough ends the run without a complaint', async () => {
  const body = "env.fromCollection(Array.from({ length: 100 }, (_, i) => i), { uid: 'numbers' }).print();";
  const { child, ended } = spawnMillrace(projects.create({ 'p.ts': pipelineFile('numbers', body) }), ['dev', 'p.ts']);
  child.stdout?.once('data', () => child.stdout?.destroy());

  expect(await ended).toMatchObject({ code: 141, stderr: '' });
});
