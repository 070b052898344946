/** Runs the type tests beside this file: each *.test-d.ts states with expect-type and @ts-expect-error what must and must not compile. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const cases = readdirSync('test/types').filter((name) => name.endsWith('.test-d.ts'));

test(`${cases.join(', ')} compile`, () => {
  const { stdout } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.config/tsconfig.types.json'], {
    encoding: 'utf8',
  });

  expect(stdout).toBe('');
  expect(cases).not.toEqual([]);
}, 60_000);
