import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openDataDir } from '../../../local/data-dir.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('is made if it is missing, and can be had again after its release', () => {
  const path = join(folder, 'a', 'b');
  openDataDir(path).release();

  expect(openDataDir(path)).toMatchObject({ path, statePath: join(path, 'state.log') });
});

test('another process that lives keeps it', () => {
  writeFileSync(join(folder, 'lock'), String(process.ppid));

  expect(() => openDataDir(folder)).toThrow(expect.objectContaining({ code: 'MILLRACE_DATA_INVALID' }));
});

test('the lock of a process that is gone does not', () => {
  writeFileSync(join(folder, 'lock'), '2147483646');

  expect(() => openDataDir(folder)).not.toThrow();
});

test('a file in its place is an error with the next step', () => {
  writeFileSync(join(folder, 'file'), '');

  expect(() => openDataDir(join(folder, 'file'))).toThrow(expect.objectContaining({ code: 'MILLRACE_DATA_INVALID' }));
});

test('a folder that nothing can be made in is an error, too', () => {
  expect(() => openDataDir('/proc/none/data')).toThrow(expect.objectContaining({ code: 'MILLRACE_DATA_INVALID' }));
});
