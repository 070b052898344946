import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { parseChaosArguments } from './arguments.ts';

test('without arguments three seeds have 100,000 records each', () => {
  expect(parseChaosArguments([])).toEqual({ seeds: 3, seed: 1, records: 100_000 });
});

test('numbers are taken as they are', () => {
  expect(parseChaosArguments(['--seeds', '20', '--seed=7', '--records', '10000'])).toEqual({ seeds: 20, seed: 7, records: 10_000 });
});

test.each([
  [['--seeds', '0'], "--seeds is '0'; it must be a whole number from 1"],
  [['--records', '1e4'], "--records is '1e4'; it must be a whole number from 1"],
  [['--seed', ''], "--seed is ''; it must be a whole number from 1"],
  [['--speed', '1'], "Unknown option '--speed'"],
  [['--seeds'], 'argument missing'],
  [['twice'], 'twice'],
])('%j is refused', (args, message) => {
  const parse = (): unknown => parseChaosArguments(args);

  expect(parse).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message) }));
  expect(parse).toThrow(/npm run test:chaos -- \[--seeds N\]/);
});

test('the command tells it in one line, with the usage and without a stack', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'test/chaos/run.ts', '--seeds', 'many'], {
    encoding: 'utf8',
  });

  expect(status).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^error USAGE: --seeds is 'many'; it must be a whole number from 1\n\nnpm run test:chaos/);
  expect(stderr).not.toMatch(/^\s+at /m);
});
