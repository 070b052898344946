import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { exclusively } from './exclusive.ts';
import { identify } from './process-identity.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-exclusive-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const silent = (): undefined => undefined;

test('the second waits for the first, and says for whom', async () => {
  const trace: string[] = [];
  let end = silent as () => void;
  const first = exclusively(folder, silent, async () => {
    await new Promise<void>((resolve) => (end = resolve));
    trace.push('first');
  });

  const second = exclusively(
    folder,
    (line) => {
      trace.push(line);
      end();
    },
    async () => trace.push('second'),
  );
  await Promise.all([first, second]);

  expect(trace).toEqual([`waiting for process ${process.pid}, which starts or stops services`, 'first', 'second']);
  expect(readdirSync(folder)).toEqual([]);
});

test('a failure gives the lock back', async () => {
  await expect(exclusively(folder, silent, () => Promise.reject(new Error('no')))).rejects.toThrow('no');

  await expect(exclusively(folder, silent, () => Promise.resolve(7))).resolves.toBe(7);
});

test.each([
  ['of a process that has died', JSON.stringify({ ...identify(process.pid), startTicks: '1' })],
  ['that can not be read', '{'],
])('a lock %s is taken over', async (_, text) => {
  writeFileSync(join(folder, 'lock'), text);

  await expect(exclusively(folder, silent, () => Promise.resolve(7))).resolves.toBe(7);
});
