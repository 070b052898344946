import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ALL_OPERATORS } from '../../functions/operators/all-operators.ts';
import type { BundleInput } from '../../infra/bundle-contents.ts';
import { bundlePipeline, bundleShipped, type ShippedPipeline } from './shipped-stages.ts';
import { intruders, millraceBytes } from './stage-contents.ts';

/**
 * What Millrace may add to a stage, minified, beside the third-party clients that the stage uses: held, so that nothing is added unseen. The goal was
 * GOAL_BYTES; a decision in ARCHITECTURE.md says why it is these.
 */
const BUDGET_BYTES = { source: 128_000, fenced: 186_000 };
const GOAL_BYTES = 60_000;

const outDir = mkdtempSync(join(tmpdir(), 'millrace-budget-'));
let shipped: readonly ShippedPipeline[] = [];

beforeAll(async () => {
  shipped = await bundleShipped(outDir);
});

afterAll(() => {
  rmSync(outDir, { recursive: true, force: true });
});

test('there is a shipped pipeline with three stages', () => {
  expect(Math.max(...shipped.map(({ stages }) => stages.length))).toBeGreaterThanOrEqual(3);
});

test(`Millrace adds at most ${BUDGET_BYTES.source / 1000} kB to a source stage and ${BUDGET_BYTES.fenced / 1000} kB to one with a fence`, () => {
  const rows = shipped.flatMap(({ plan, stages }) =>
    stages.map((bundle, i) => ({
      stage: `${plan.pipeline}/${bundle.stage}`,
      bytes: bundle.bytes,
      millrace: millraceBytes(bundle),
      budget: plan.stages[i]?.fenced ? BUDGET_BYTES.fenced : BUDGET_BYTES.source,
    })),
  );

  const line = (...cells: readonly (string | number)[]): string =>
    cells.map((cell, i) => (i ? String(cell).padStart(10) : String(cell).padEnd(40))).join('');
  const cells = rows.map(({ stage, bytes, millrace, budget }) => line(stage, bytes, millrace, budget, GOAL_BYTES));
  const table = [line('stage', 'bytes', 'Millrace', 'budget', 'goal'), ...cells];
  process.stdout.write(`${table.join('\n')}\n`);
  expect(rows.filter(({ millrace, budget }) => millrace > budget)).toEqual([]);
});

test("no third party's client is read with a stage", () => {
  const read = shipped.flatMap(({ stages }) => stages.map(({ file, clients }) => ({ code: readFileSync(file, 'utf8'), clients })));

  expect(read.filter(({ clients }) => clients.length === 0)).toEqual([]);
  // A text of each client that minifying keeps.
  for (const { code, clients } of read) {
    expect(code).not.toMatch(/KafkaJSNonRetriableError|SYNC_CONNECTED/);
    expect(clients.map((file) => readFileSync(file, 'utf8')).join()).toMatch(/KafkaJSNonRetriableError/);
  }
});

test('a shipped stage holds no tool, no client that it does not use, and no adapter of other stages', () => {
  const found = shipped.flatMap(({ plan, stages }) =>
    plan.stages.flatMap(({ fenced }, i) => intruders(stages[i]?.inputs ?? [], fenced).map((path) => `${stages[i]?.stage ?? ''}: ${path}`)),
  );

  expect(found).toEqual([]);
});

test('the stages of a pipeline with and without a fence differ by the state adapter', () => {
  const stages = shipped.flatMap(({ plan, stages }) => plan.stages.map(({ fenced }, i) => ({ fenced, inputs: stages[i]?.inputs ?? [] })));

  const holdsState = ({ inputs }: { readonly inputs: readonly BundleInput[] }): boolean => intruders(inputs, false).length > 0;
  expect(stages.filter(({ fenced }) => fenced).map(holdsState)).not.toContain(false);
  expect(stages.filter(({ fenced }) => !fenced).map(holdsState)).not.toContain(true);
});

test('a stage holds the operators that it runs, and no other; the reading of files is in none', () => {
  const found = shipped.flatMap(({ plan, stages }) =>
    plan.stages.map(({ operators }, i) => ({ runs: operators.map(({ kind }) => kind), holds: operatorsIn(stages[i]?.inputs ?? []) })),
  );

  expect(found.length).toBeGreaterThan(0);
  for (const { runs, holds } of found) {
    expect(holds.sort()).toEqual([...new Set(runs)].filter((kind) => kind in ALL_OPERATORS).sort());
  }
  const inputs = shipped.flatMap(({ stages }) => stages.flatMap(({ inputs }) => inputs.filter(({ bytes }) => bytes > 0)));
  expect(inputs.map(({ path }) => path).filter((path) => path.includes('connectors/file/reader'))).toEqual([]);
});

/** Kinds of the operators whose files have left something in a bundle. */
function operatorsIn(inputs: readonly BundleInput[]): string[] {
  const kinds = Object.keys(ALL_OPERATORS);
  const name = (kind: string): string => kind.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const isOf = (path: string, kind: string): boolean =>
    path.endsWith(`/operators/${name(kind)}.ts`) || path.includes(`/operators/${name(kind)}/`);
  return kinds.filter((kind) => inputs.some(({ path, bytes }) => bytes > 0 && isOf(path, kind)));
}

test('only stages with windows hold what windows need', async () => {
  const { plan, stages } = await bundlePipeline('test/golden/windows.ts', outDir);

  const holds = ({ inputs }: { readonly inputs: readonly BundleInput[] }): boolean =>
    inputs.some(({ path, bytes }) => bytes > 0 && /\/(operators\/window|time\/windows)\//.test(path));
  expect(stages.map(holds)).toEqual(plan.stages.map(({ operators }) => operators.some(({ kind }) => kind === 'window')));
  expect(stages.map(holds)).toContain(false);
  expect(shipped.flatMap((one) => one.stages).some(holds)).toBe(false);
});

test.each(['connected-streams', 'interval-join', 'temporal-join', 'broadcast-state'])(
  'a stage of %s holds the operators that it runs',
  async (name) => {
    const { plan, stages } = await bundlePipeline(`test/golden/${name}.ts`, outDir);

    for (const [i, { operators }] of plan.stages.entries()) {
      // What waits for a join is kept as the elements of windows are.
      const holds = operatorsIn(stages[i]?.inputs ?? []).filter((kind) => kind !== 'window');
      expect(holds.sort()).toEqual([...new Set(operators.map(({ kind }) => kind))].filter((kind) => kind in ALL_OPERATORS).sort());
    }
    expect(plan.stages.some(({ operators }) => operators.some(({ kind }) => kind in ALL_OPERATORS))).toBe(true);
  },
);

describe('the checks fail', () => {
  const own: BundleInput = { path: 'millrace/functions/runtime/stage-handler.ts', owner: 'millrace', bytes: 40_000 };

  test.each([
    ['an AWS client', { path: 'node_modules/@aws-sdk/client-lambda/dist/index.js', owner: '@aws-sdk/client-lambda' }],
    ['native code', { path: 'node_modules/zeromq/lib/index.js', owner: 'zeromq' }],
    ['the bundler', { path: 'millrace/infra/bundling.ts', owner: 'millrace' }],
    ['the harness', { path: 'millrace/dist/esm/local/testing.js', owner: 'millrace' }],
    ['the store of another mode', { path: 'millrace/functions/state/memory/memory-state-backend.ts', owner: 'millrace' }],
  ])('on %s', (_what, planted) => {
    expect(intruders([own, { ...planted, bytes: 1 }], true)).toEqual([planted.path]);
  });

  test('on a state adapter in a stage without a fence', () => {
    const client = { path: 'millrace/functions/state/embedded/state-backend.ts', owner: 'millrace', bytes: 1 };

    expect(intruders([own, client], false)).toEqual([client.path]);
    expect(intruders([own, client], true)).toEqual([]);
  });

  test("on bytes of Millrace's helpers, and of nothing else", () => {
    const helper = { path: 'node_modules/tiny/index.js', owner: 'tiny', bytes: 15_000 };
    const users = { path: 'node_modules/zod/index.js', owner: 'zod', bytes: 200_000 };
    const glue = 6_000;

    const counted = millraceBytes({ bytes: 40_000 + 15_000 + 200_000 + glue, inputs: [own, helper, users] }, ['tiny']);

    expect(counted).toBe(61_000);
    expect(counted).toBeGreaterThan(GOAL_BYTES); // so the limit can be broken
  });
});
