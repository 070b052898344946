/** Pipelines that write files through faults of everything around them: in the folder stands what the input makes, each record once. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { file, json, kafka, type Pipeline, pipeline } from '../../../../functions/index.ts';
import { planPipeline } from '../../../../functions/graph/plan.ts';
import { type Fault, ManualClock, runPipeline } from '../../../../local/testing.ts';

interface Order {
  readonly id: number;
  readonly customer: string;
}

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'millrace-sink-'));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

const orders: Order[] = Array.from({ length: 40 }, (_, id) => ({ id, customer: `c${id % 5}` }));
const source = () => kafka.source({ topic: 'orders', value: json<Order>() });

/** Of a source stage, and of one behind a keyBy. */
const PIPELINES = {
  stateless: (path: string) =>
    pipeline('bare', (env) => {
      env
        .fromSource(source(), { uid: 'orders' })
        .filter(({ id }) => id % 3 !== 0)
        .sinkTo(file.sink({ path, format: 'csv', columns: ['id', 'customer'], header: false }));
    }),
  keyed: (path: string) =>
    pipeline('keyed', { parallelism: 2 }, (env) => {
      env
        .fromSource(source(), { uid: 'orders' })
        .keyBy(({ customer }) => customer)
        .count()
        .uid('counts')
        .sinkTo(file.sink({ path, format: 'json-lines' }));
    }),
} satisfies Record<string, (path: string) => Pipeline>;

const EXPECTED: Readonly<Record<keyof typeof PIPELINES, readonly string[]>> = {
  stateless: orders.flatMap(({ id, customer }) => (id % 3 === 0 ? [] : [`${id},${customer}`])),
  keyed: orders.map(({ id, customer }) => JSON.stringify({ key: customer, count: Math.floor(id / 5) + 1 })),
};

const FAULTS: readonly Fault[] = [
  { fail: 'write', nth: 3 },
  { lose: 'write', nth: 3 },
  { lose: 'write', nth: 5 },
  { crash: 'after-commit', nth: 3 },
  { batch: 'duplicate', nth: 2 },
  { batch: 'recut', nth: 2 },
];

function linesIn(path: string): readonly string[] {
  const parts = readdirSync(path).filter((name) => name.startsWith('part-'));
  return parts.flatMap((name) => readFileSync(join(path, name), 'utf8').trimEnd().split(/\r?\n/)).sort();
}

describe.each(['stateless', 'keyed'] as const)('a file sink of a %s stage', (kind) => {
  test.each(FAULTS)('writes each record once through %j', async (fault) => {
    const path = join(root, `${kind}-${JSON.stringify(fault).replaceAll(/\W+/g, '-')}`);

    await runPipeline(PIPELINES[kind](path), { input: { orders }, faults: [fault], batchSize: 7 });

    expect(linesIn(path)).toEqual([...EXPECTED[kind]].sort());
  });
});

test('a record that can’t be written is a dead letter, and the others are written', async () => {
  const path = join(root, 'dead');
  const bad = pipeline('bad', (env) => {
    env
      .fromSource(source(), { uid: 'orders' })
      .map(({ id }) => ({ id: id === 3 ? { nested: true } : id }))
      .sinkTo(file.sink({ path, format: 'csv', columns: ['id'], header: false }));
  });

  const { deadLetters } = await runPipeline(bad, { input: { orders: orders.slice(0, 6) } });

  expect(deadLetters).toMatchObject([{ code: 'MILLRACE_VALUE_NOT_ENCODABLE' }]);
  expect(linesIn(path)).toEqual(['0', '1', '2', '4', '5']);
});

test('a second run that reads its input from the beginning is refused, and changes nothing', async () => {
  const path = join(root, 'twice');
  await runPipeline(PIPELINES.keyed(path), { input: { orders } });
  const later = { input: { orders: orders.slice(0, 10) }, clock: new ManualClock(Date.UTC(2030, 0, 1)) };

  await expect(runPipeline(PIPELINES.keyed(path), later)).rejects.toMatchObject({ code: 'MILLRACE_OUTPUT_FOREIGN' });
  expect(linesIn(path)).toEqual([...EXPECTED.keyed].sort());
});

test('two sinks in one folder are refused while planning', () => {
  const twice = pipeline('twice', (env) => {
    const numbers = env.fromElements({ id: 1 });
    numbers.sinkTo(file.sink({ path: 'out', format: 'json-lines' }));
    numbers.sinkTo(file.sink({ path: './out/', format: 'csv', columns: ['id'] }));
  });

  expect(() => planPipeline(twice.build())).toThrow(
    expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID', message: expect.stringContaining("two sinks write to folder './out/'") }),
  );
});

test('a journal in the stage of a file sink is refused while planning', () => {
  const journaled = pipeline('journaled', (env) => {
    env
      .fromElements({ id: 1 })
      .map((value) => value)
      .journal()
      .sinkTo(file.sink({ path: 'out', format: 'json-lines' }));
  });

  expect(() => planPipeline(journaled.build())).toThrow(
    expect.objectContaining({
      code: 'MILLRACE_OPTION_INVALID',
      message: expect.stringContaining('a stage with .journal() has a file sink'),
    }),
  );
});
