import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import type { StageBundle } from '../../infra/bundling.ts';
import { bundleShipped } from './shipped-stages.ts';

const temp = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-bytes-')));

afterAll(() => {
  rmSync(temp, { recursive: true, force: true });
});

/** As much of this checkout as bundling reads, at a path of another depth. */
function copyCheckout(): string {
  const root = join(temp, 'some', 'other', 'checkout');
  mkdirSync(root, { recursive: true });
  for (const name of ['functions', 'package.json', 'tsconfig.json']) cpSync(name, join(root, name), { recursive: true });
  symlinkSync(join(process.cwd(), 'node_modules'), join(root, 'node_modules'));
  return root;
}

function filesOf(bundle?: StageBundle): string[] {
  return bundle === undefined ? [] : [bundle.file, ...bundle.clients];
}

test('another checkout and output directory give the same bytes, hashes and source maps', async () => {
  const here = await bundleShipped(join(temp, 'out'));

  const there = await bundleShipped(join(temp, 'elsewhere', 'out'), copyCheckout());

  for (const [i, { stages }] of here.entries()) {
    for (const [j, bundle] of stages.entries()) {
      const other = there[i]?.stages[j];
      expect(other).toMatchObject({ stage: bundle.stage, hash: bundle.hash, bytes: bundle.bytes, inputs: bundle.inputs });
      expect(filesOf(other).map((file) => readFileSync(file))).toEqual(filesOf(bundle).map((file) => readFileSync(file)));
      expect(readFileSync(other?.sourceMap ?? '', 'utf8')).toBe(readFileSync(bundle.sourceMap, 'utf8'));
    }
  }
});

test('no bundle or map names this machine', async () => {
  const shipped = await bundleShipped(join(temp, 'named'));

  const texts = shipped
    .flatMap(({ stages }) => stages.flatMap((bundle) => [...filesOf(bundle), bundle.sourceMap]))
    .map((file) => readFileSync(file, 'utf8'));
  expect(texts.filter((text) => text.includes(process.cwd()) || text.includes(temp))).toEqual([]);
});
