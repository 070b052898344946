/** `--data`: what a run has done outlives it, however it ends. Killed at any moment and started again, it counts every record once. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { EmbeddedLog } from '../../local/log/embedded-log.ts';
import { type Ended, millrace, pipelineFile, Projects, spawnMillrace } from './command.ts';

const projects = new Projects();
afterAll(() => projects.dispose());

const RECORDS = 60_000;
const KEYS = 97;

jest.setTimeout(120_000); // a busy machine is no fault

/** Two hops, so that channels hold frames at the moment of a kill; the sums go on beyond integers that doubles could hide errors in. */
const COUNTING = pipelineFile(
  'counting',
  `const totals = env.fromCollection(Array.from({ length: ${RECORDS} }, (_, i) => i), { uid: 'numbers' })
    .keyBy((n) => n % ${KEYS})
    .process({
      state: { seen: valueState('seen', { default: { count: 0, sum: 0 } }) },
      processElement(n, ctx) {
        const { count, sum } = ctx.state.seen.value();
        const seen = { count: count + 1, sum: sum + n };
        ctx.state.seen.update(seen);
        return [{ key: n % ${KEYS}, n }];
      },
    }).uid('first')
    .keyBy(({ key }) => key % 10)
    .process({
      state: { total: valueState('total', { default: { count: 0, sum: 0 } }) },
      processElement({ key, n }, ctx) {
        const { count, sum } = ctx.state.total.value();
        const total = { count: count + 1, sum: sum + n };
        ctx.state.total.update(total);
        return [{ group: key % 10, ...total }];
      },
    }).uid('second');
  totals.sinkTo(kafka.sink({ topic: 'totals', value: json(), key: ({ group }) => String(group) }));
  totals.sinkTo(kafka.sink({ topic: 'once', value: json(), key: ({ group }) => String(group), delivery: 'exactly-once' }));`,
  '{ parallelism: 3, batchSize: 500 }',
);

/** What the pipeline should have found out, without it. */
function expectedTotals(): Record<string, { count: number; sum: number }> {
  const totals: Record<string, { count: number; sum: number }> = {};
  for (let n = 0; n < RECORDS; n++) {
    const total = (totals[String((n % KEYS) % 10)] ??= { count: 0, sum: 0 });
    total.count++;
    total.sum += n;
  }
  return totals;
}

/** Of each group the total with the highest count: a sink topic is written at least once. */
async function readTotals(dataDir: string): Promise<{ totals: Record<string, { count: number; sum: number }>; conflicts: string[] }> {
  const log = new EmbeddedLog({ dataDir });
  const totals: Record<string, { count: number; sum: number }> = {};
  const sums = new Map<string, number>();
  const conflicts: string[] = [];
  for (const { partition, startOffset, endOffset } of log.partitions('totals')) {
    for (let from = startOffset; from < endOffset;) {
      const records = log.read('totals', partition, from, { maxRecords: 10_000, maxBytes: 8_000_000 });
      for (const { value } of records) {
        const { group, count, sum } = JSON.parse(Buffer.from(value ?? []).toString()) as { group: number; count: number; sum: number };
        const at = `group ${group} after ${count}`;
        if ((sums.get(at) ?? sum) !== sum) conflicts.push(at);
        sums.set(at, sum);
        if (count > (totals[String(group)]?.count ?? 0)) totals[String(group)] = { count, sum };
      }
      from = (records.at(-1)?.offset ?? endOffset) + 1;
    }
  }
  await log.close();
  return { totals, conflicts };
}

/** Each group's counts in the topic of the exactly-once sink, in their order. */
async function readOnce(dataDir: string): Promise<Record<string, number[]>> {
  const log = new EmbeddedLog({ dataDir });
  const counts: Record<string, number[]> = {};
  for (const { partition, startOffset, endOffset } of log.partitions('once')) {
    for (let from = startOffset; from < endOffset;) {
      const records = log.read('once', partition, from, { maxRecords: 10_000, maxBytes: 8_000_000 });
      for (const { value } of records) {
        const { group, count } = JSON.parse(Buffer.from(value ?? []).toString()) as { group: number; count: number };
        (counts[String(group)] ??= []).push(count);
      }
      from = (records.at(-1)?.offset ?? endOffset) + 1;
    }
  }
  await log.close();
  return counts;
}

/** 1, 2, 3 … up to the total of each group. */
function expectedCounts(): Record<string, number[]> {
  const totals = Object.entries(expectedTotals());
  return Object.fromEntries(totals.map(([group, { count }]) => [group, Array.from({ length: count }, (_, i) => i + 1)]));
}

function run(dir: string): ReturnType<typeof spawnMillrace> {
  return spawnMillrace(dir, ['dev', 'p.ts', '--data', 'data', '--json', '--determinism-every', '0']);
}

function totalRecords({ stdout }: Ended, stage: string): number {
  const { hops } = JSON.parse(stdout) as { hops: { stage: string; recordsIn: number }[] };
  return hops.find((hop) => hop.stage === stage)?.recordsIn ?? NaN;
}

describe('a run with --data', () => {
  test('that has ended has nothing left to do the next time', async () => {
    const dir = projects.create({ 'p.ts': COUNTING });

    const first = await run(dir).ended;
    const second = await run(dir).ended;

    expect([first.code, second.code]).toEqual([0, 0]);
    expect(totalRecords(first, 'second')).toBe(RECORDS);
    expect(totalRecords(second, 'second')).toBe(0);
    expect(JSON.parse(second.stdout)).toMatchObject({ ok: true, finished: true, records: 0 });
    expect((await readTotals(join(dir, 'data'))).totals).toEqual(expectedTotals());
  });

  test('stopped by SIGINT goes on where it was', async () => {
    const dir = projects.create({ 'p.ts': COUNTING });
    const { child, ended, shows } = run(dir);
    await shows(/Invoke API/);
    await wait(400);
    child.kill('SIGINT');

    const first = await ended;
    const second = await run(dir).ended;

    expect([first.code, second.code]).toEqual([0, 0]);
    expect(totalRecords(first, 'second') + totalRecords(second, 'second')).toBe(RECORDS);
    expect(await readTotals(join(dir, 'data'))).toEqual({ totals: expectedTotals(), conflicts: [] });
    expect(await readOnce(join(dir, 'data'))).toEqual(expectedCounts());
  }, 60_000);

  test('killed at moments that nobody chose gives exact results in the end', async () => {
    const dir = projects.create({ 'p.ts': COUNTING });
    const delays: number[] = [];
    for (let kills = 0; kills < 5; kills++) {
      const { child, ended, shows } = run(dir);
      const delay = Math.floor(Math.random() * 500);
      delays.push(delay);
      const isOver = await shows(/Invoke API/).then(() => Promise.race([wait(delay), ended.then(() => true)]));
      child.kill('SIGKILL');
      await ended;
      if (isOver) break;
    }
    process.stdout.write(`killed after ${delays.join(', ')} ms\n`); // what a failure is to be repeated with

    const last = await run(dir).ended;

    expect(last.stderr).not.toContain('error MILLRACE');
    expect(last.code).toBe(0);
    expect(await readTotals(join(dir, 'data'))).toEqual({ totals: expectedTotals(), conflicts: [] });
    expect(await readOnce(join(dir, 'data'))).toEqual(expectedCounts());
  }, 120_000);
});

describe('what has changed between two runs', () => {
  const LINES = pipelineFile(
    'lines',
    "env.fromSource(file.source({ path: env.param('input'), format: 'lines' }), { uid: 'in' }).keyBy(({ k }) => k).count().uid('count').print();",
    '{ parallelism: 2 }',
  );
  const dir = projects.create({ 'p.ts': LINES, 'in.jsonl': '{"k":"a"}\n{"k":"b"}\n{"k":"a"}\n' });
  const dev = (...more: string[]): Promise<Ended> =>
    millrace(dir, ['dev', 'p.ts', '--input', join(dir, 'in.jsonl'), '--data', join(dir, 'data'), '--json', ...more]);

  test('lines added to the input are read, on top of the state of the first run', async () => {
    await dev();
    appendFileSync(join(dir, 'in.jsonl'), '{"k":"a"}\n');

    const { code, stdout, stderr } = await dev();

    expect(code).toBe(0);
    expect(totalRecords({ code, stdout, stderr }, 'count')).toBe(1);
    expect(stderr).toContain('{"key":"a","count":3}');
  });

  test('another parallelism is refused, as keys would be looked for elsewhere', async () => {
    const { code, stderr } = await dev('--parallelism', '3');

    expect(code).toBe(1);
    expect(stderr).toContain('error MILLRACE_DATA_INVALID: ');
    expect(stderr).not.toMatch(/^ +at /m);
  });

  test('another namespace begins anew in the same folder', async () => {
    expect(totalRecords(await dev('--namespace', 'second'), 'count')).toBe(4);
  });
});

function wait(ms: number): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), ms));
}
