/** What a pipeline collects goes to whoever runs it: to people, and to scripts. */
import { afterAll, expect, jest, test } from '@jest/globals';
import { millrace, pipelineFile, Projects } from './command.ts';

const projects = new Projects();
afterAll(() => projects.dispose());

jest.setTimeout(120_000); // a busy machine is no fault

const PIPELINE = pipelineFile(
  'sums',
  `const words = env.fromElements('a', 'b', 'a').toDataSet();
  words.count().collect('count');
  words.sortPartition((word) => word).map((word) => new Set([word])).collect('words');`,
  '{ parallelism: 1 }',
);

test('records are in the line of --json, and shown to people', async () => {
  const dir = projects.create({ 'p.ts': PIPELINE });

  const json = await millrace(dir, ['dev', 'p.ts', '--json']);
  const text = await millrace(dir, ['dev', 'p.ts']);

  expect([json.code, text.code]).toEqual([0, 0]);
  expect(JSON.parse(json.stdout)).toMatchObject({
    ok: true,
    collected: { count: [3], words: [{ $set: ['a'] }, { $set: ['a'] }, { $set: ['b'] }] },
  });
  expect(text.stdout).toContain('\ncollected count: 1 record\n  3\n');
});
