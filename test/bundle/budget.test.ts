import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { BundleInput } from '../../infra/bundle-contents.ts';
import { bundleShipped, type ShippedPipeline } from './shipped-stages.ts';
import { intruders, millraceBytes } from './stage-contents.ts';

/**
 * What Millrace may add to a stage, minified, beside the third-party clients that the stage uses: a ratchet that only goes down. The
 * goal is GOAL_BYTES; ARCHITECTURE.md says what stands in the way.
 */
const BUDGET_BYTES = 108_000;
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

test(`Millrace adds at most ${BUDGET_BYTES / 1000} kB to each shipped stage (goal ${GOAL_BYTES / 1000} kB)`, () => {
  const rows = shipped.flatMap(({ plan, stages }) =>
    stages.map((bundle) => ({ stage: `${plan.pipeline}/${bundle.stage}`, bytes: bundle.bytes, millrace: millraceBytes(bundle) })),
  );

  const line = (...cells: readonly (string | number)[]): string =>
    cells.map((cell, i) => (i ? String(cell).padStart(10) : String(cell).padEnd(40))).join('');
  const table = [line('stage', 'bytes', 'Millrace'), ...rows.map(({ stage, bytes, millrace }) => line(stage, bytes, millrace))];
  process.stdout.write(`${table.join('\n')}\n`);
  expect(rows.filter(({ millrace }) => millrace > BUDGET_BYTES)).toEqual([]);
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

describe('the checks fail', () => {
  const own: BundleInput = { path: 'millrace/functions/runtime/stage-handler.ts', owner: 'millrace', bytes: 40_000 };

  test.each([
    ['a Kafka client', { path: 'node_modules/kafkajs/index.js', owner: 'kafkajs' }],
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
    expect(counted).toBeGreaterThan(GOAL_BYTES);
  });
});
