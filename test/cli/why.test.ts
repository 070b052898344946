/** `millrace why` on what a run left in the folder of `--data`, held against the way that each record carries in itself. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EmbeddedLog } from '../../local/log/embedded-log.ts';
import { type Ended, millrace, pipelineFile, Projects } from './command.ts';

const projects = new Projects();
afterAll(() => projects.dispose());

const VOCABULARY = ['mill', 'race', 'water', 'wheel', 'stream', 'grain', 'flour'];
const LINES = Array.from({ length: 40 }, (_, i) => ({
  id: `line ${i}`,
  words: VOCABULARY.filter((_word, w) => (i * 7 + w * 3) % 5 < 2),
}));

/** Three stages: each line fans out into words, each word into its letters' counts; `path` is what it was made from. */
const WORDS = pipelineFile(
  'words',
  `env.fromSource({ kind: 'feed', name: 'lines', bounded: true, value: json(), async *read() { yield ${JSON.stringify(LINES)}.map((line) => Buffer.from(JSON.stringify(line))); } },
      { uid: 'lines' })
    .flatMap(({ id, words }) => words.map((word) => ({ path: [id, id + ' ' + word], word })))
    .keyBy(({ word }) => word)
    .process({
      state: { seen: valueState('seen', { default: 0 }) },
      *processElement({ path, word }, { state }) {
        state.seen.update(state.seen.value() + 1);
        for (const letter of new Set(word)) yield { path: [...path, path[1] + ' ' + letter], letter, seen: state.seen.value() };
      },
    })
    .uid('letters')
    .keyBy(({ letter }) => letter)
    .reduce((sum, next) => ({ ...next, seen: sum.seen + next.seen }))
    .uid('sums')
    .sinkTo(kafka.sink({ topic: 'sums', value: json(), key: ({ letter }) => letter, lineage: true, delivery: 'exactly-once' }));`,
  '{ parallelism: 2, batchSize: 5 }',
);
interface Printed {
  readonly kind: string;
  readonly topic: string;
  readonly record?: number;
  readonly value: { readonly form: string; readonly value: { readonly path?: readonly string[]; readonly id?: string } };
}

describe('millrace why', () => {
  let dir = '';
  const why = (...args: string[]): Promise<Ended> => millrace(dir, ['why', 'p.ts', ...args, '--data', join(dir, 'data')]);
  const hopsOf = ({ stdout }: Ended): Printed[] => stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Printed); // prettier-ignore

  beforeAll(async () => {
    dir = projects.create({ 'p.ts': WORDS });
    expect(await millrace(dir, ['dev', 'p.ts', '--data', join(dir, 'data')])).toMatchObject({ code: 0, stderr: '' });
  }, 60_000);

  test('walks from messages over all of the sink back to its line', async () => {
    const log = new EmbeddedLog({ dataDir: join(dir, 'data') });
    const partitions = await log.partitionCount('sums');
    const ends = Array.from({ length: partitions }, (_, partition) => log.partition('sums', partition).endOffset);
    await log.close();
    const places = ends.flatMap((end, partition) => Array.from({ length: end }, (_, offset) => [partition, offset] as const));
    const lines = new Set<number>();

    for (const [partition, offset] of places.filter((_, i) => i % 29 === 0)) {
      const ended = await why('sums', String(partition), String(offset), '--json');
      const [output, sums, letters, line] = hopsOf(ended);

      expect(ended).toMatchObject({ code: 0, stderr: '' });
      const path = output?.value.value.path ?? [];
      expect(hopsOf(ended).map(({ kind }) => kind)).toEqual(['output', 'record', 'record', 'source']);
      expect([sums?.value.value.path?.at(-1), letters?.value.value.path?.at(-1), line?.value.value.id]).toEqual([...path].reverse());
      expect(LINES[line?.record ?? -1]?.id).toBe(path[0]);
      lines.add(line?.record ?? -1);
    }
    expect(places.length).toBe(LINES.flatMap(({ words }) => words.flatMap((word) => [...new Set(word)])).length);
    expect(lines.size).toBeGreaterThan(10);
  }, 60_000);

  test('prints each hop for people', async () => {
    const { stdout } = await why('sums', '0', '0');

    expect(stdout).toMatch(
      new RegExp(
        [
          '^sums-0, offset 0',
          '  time       \\S+Z',
          '  key        \\w',
          '  value      \\{"path":\\["line \\d+",.*',
          '  origin     sums/default\\.words\\.sums\\.g1-\\d@1:\\d+\\.\\d+\\.0',
          '<- default\\.words\\.sums\\.g1-\\d, offset \\d+, record \\d+ of \\d+, read by stage sums',
          '  event time \\S+Z',
          '  key        "\\w"',
          '  value      \\{"path":\\["line \\d+",.*',
          '  origin     letters/default\\.words\\.letters\\.g1-\\d@1:\\S+',
          '<- default\\.words\\.letters\\.g1-\\d, offset \\d+, record \\d+ of \\d+, read by stage letters',
          '  event time \\S+Z',
          '  key        "\\w+"',
          '  value      \\{"path":\\["line \\d+",.*',
          '  origin     lines/default\\.words\\.lines-\\d@1:\\S+',
          '<- default\\.words\\.lines-\\d, offset \\d+, record \\d+ of source lines, read by stage lines',
          '  time       \\S+Z',
          '  value      \\{"id":"line \\d+",.*\\n$',
        ].join('\\n'),
      ),
    );
  });

  test.each([
    [[], 2, 'MILLRACE_FLAG_INVALID: TOPIC is missing: millrace why FILE TOPIC PARTITION OFFSET'],
    [['sums', '0'], 2, 'MILLRACE_FLAG_INVALID: OFFSET is missing: millrace why FILE TOPIC PARTITION OFFSET'],
    [['sums', 'x', '0'], 2, "MILLRACE_FLAG_INVALID: PARTITION is 'x'; give a whole number from 0"],
    [['sums', '0', '1.5'], 2, "MILLRACE_FLAG_INVALID: OFFSET is '1.5'; give a whole number from 0"],
    [['sums', '0', '0', '0'], 2, "MILLRACE_FLAG_INVALID: unexpected '0' behind 0: millrace why FILE TOPIC PARTITION OFFSET"],
    [['sums', '7', '0'], 1, 'MILLRACE_MESSAGE_MISSING: topic sums has no partition 7'],
    [['sums', '0', '99999'], 1, 'MILLRACE_MESSAGE_MISSING: sums-0 has no offset 99999: it holds 0 to '],
    [['nope', '0', '0'], 1, 'MILLRACE_TOPIC_MISSING: there is no topic nope in the data folder '],
    [['default.words.lines', '0', '0'], 1, 'MILLRACE_LINEAGE_MISSING: the message at default.words.lines-0, offset 0 has no header'],
    [['default.words.sums.g1', '0', '0'], 1, 'MILLRACE_LINEAGE_MISSING: topic default.words.sums.g1 is the channel of stage sums'],
    [['sums', '0', '0', '--namespace', 'other'], 1, 'MILLRACE_PLAN_MISMATCH: the record was made by stage sums from topic default.words.'],
  ])('refuses %j', async (args, code, message) => {
    expect(await why(...args)).toMatchObject({ code, stderr: expect.stringContaining(message) });
  });

  test('refuses a call without a file, and a log in memory', async () => {
    expect(await millrace(dir, ['why'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('millrace why needs a pipeline file: millrace why FILE TOPIC PARTITION OFFSET'),
    });
    expect(await millrace(dir, ['why', 'p.ts', 'sums', '0', '0'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('keeps its topics in memory'),
    });
  });

  test('shows the hops that are left when a channel has been removed', async () => {
    const data = join(dir, 'data', 'topics');
    const channel = readdirSync(data).find((name) => name.startsWith('default.words.letters')) ?? '';
    rmSync(join(data, channel), { recursive: true });

    const ended = await why('sums', '0', '0', '--json');

    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining(`MILLRACE_TOPIC_MISSING: there is no topic ${channel} in `) });
    expect(hopsOf(ended).map(({ kind }) => kind)).toEqual(['output', 'record']);
  });
});
