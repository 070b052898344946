import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { StateBackend, StateOp } from '../../../functions/state/state-backend.ts';
import { openStateStore } from '../../../local/state-store.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  path = join(folder, 'state.log');
});
afterEach(() => rmSync(folder, { recursive: true }));

const create = (name: string, value = 1): StateOp => ({ op: 'create', path: name, data: Uint8Array.of(value) });
const set = (name: string, version: number, value: number): StateOp => ({ op: 'set', path: name, data: Uint8Array.of(value), version });

async function contents(state: StateBackend, ...names: string[]): Promise<(number | undefined)[]> {
  return Promise.all(names.map(async (name) => (await state.read(name))?.data[0]));
}

test('the next run finds nodes with their versions and identities, and no deleted ones', async () => {
  const first = openStateStore(path);
  await first.multi([create('/a'), create('/b'), create('/b/c')]);
  await first.multi([set('/a', 0, 7), { op: 'delete', path: '/b/c' }, { op: 'check', path: '/b', version: 0 }]);
  const before = await Promise.all(['/a', '/b'].map((name) => first.read(name)));
  await first.close();

  const second = openStateStore(path);
  expect(await Promise.all(['/a', '/b'].map((name) => second.read(name)))).toEqual(before);
  expect([await second.read('/b/c'), await second.list('/b')]).toEqual([undefined, []]);
  await expect(second.multi([set('/a', 0, 9)])).rejects.toMatchObject({ code: 'MILLRACE_CONFLICT' });
  await second.close();
});

test('a multi that was refused leaves nothing for the next run', async () => {
  const first = openStateStore(path);
  await first.multi([create('/a')]);
  await expect(first.multi([set('/a', 0, 2), create('/a')])).rejects.toMatchObject({ code: 'MILLRACE_NODE_EXISTS' });
  await first.close();

  const second = openStateStore(path);
  expect(await contents(second, '/a')).toEqual([1]);
  await second.close();
});

test('a multi torn at any byte is left out whole, and what follows it later is kept', async () => {
  const first = openStateStore(path);
  await first.multi([create('/a')]);
  const whole = readFileSync(path).length;
  await first.multi([set('/a', 0, 2), create('/b')]);
  await first.close();
  const file = readFileSync(path);

  for (let length = whole; length < file.length; length++) {
    writeFileSync(path, file.subarray(0, length));
    const second = openStateStore(path);
    expect(await contents(second, '/a', '/b')).toEqual([1, undefined]);
    await second.multi([create('/c', 3)]);
    await second.close();
    const third = openStateStore(path);
    expect(await contents(third, '/a', '/b', '/c')).toEqual([1, undefined, 3]);
    await third.close();
  }
});

test('no identity is given twice, not even that of a node deleted two runs ago', async () => {
  const seen = new Set<string>();
  for (let run = 0; run < 4; run++) {
    const state = openStateStore(path);
    for (let i = 0; i < 3; i++) {
      await state.multi([create('/a')]);
      seen.add((await state.read('/a'))?.created ?? '');
      await state.multi([{ op: 'delete', path: '/a' }]);
    }
    await state.close();
  }

  expect(seen.size).toBe(12);
});

test('writes side by side reach the disk in the order in which they were applied', async () => {
  const first = openStateStore(path);
  await first.multi([create('/a', 0)]);
  await Promise.all(Array.from({ length: 200 }, (_, i) => first.multi([set('/a', i, i % 256)])));
  await first.close();

  const second = openStateStore(path);
  expect([(await second.read('/a'))?.version, ...(await contents(second, '/a'))]).toEqual([200, 199]);
  await second.close();
});
