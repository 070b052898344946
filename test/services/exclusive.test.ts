import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { exclusively } from './exclusive.ts';

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
});

test('a failure gives the lock back', async () => {
  await expect(exclusively(folder, silent, () => Promise.reject(new Error('no')))).rejects.toThrow('no');

  await expect(exclusively(folder, silent, () => Promise.resolve(7))).resolves.toBe(7);
});

test('other folders have locks of their own', async () => {
  const other = mkdtempSync(join(tmpdir(), 'millrace-exclusive-'));

  await expect(exclusively(folder, silent, () => exclusively(other, silent, () => Promise.resolve(7)))).resolves.toBe(7);
  rmSync(other, { recursive: true });
});

/** Takes the lock, writes `+` and `-` around a moment of work, and ends; with `dies`, by SIGKILL while it has it. */
function holder(dies: boolean): Promise<number | null> {
  const text = `
    import { appendFileSync } from 'node:fs';
    import { exclusively } from ${JSON.stringify(join(process.cwd(), 'test/services/exclusive.ts'))};
    const note = (mark) => appendFileSync(${JSON.stringify(join(folder, 'trace'))}, mark);
    await exclusively(${JSON.stringify(folder)}, () => undefined, async () => {
      note('+');
      await new Promise((resolve) => setTimeout(resolve, 20));
      ${dies ? "process.kill(process.pid, 'SIGKILL');" : ''}
      note('-');
    });`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', text], { stdio: 'inherit' });
  return new Promise((resolve) => child.once('exit', resolve));
}

test('what a killed process held is free at once, and only one of those that wait gets it', async () => {
  const codes = await Promise.all([true, false, false, false].map(holder));

  expect(codes).toEqual([null, 0, 0, 0]);
  // Whoever was killed left only its +.
  expect(readFileSync(join(folder, 'trace'), 'utf8')).toMatch(/^(\+-)*\+(\+-)*$/);
});
