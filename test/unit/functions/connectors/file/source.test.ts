import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { string } from '../../../../../functions/codec/string.ts';
import { fileSource } from '../../../../../functions/connectors/file/source.ts';
import type { FeedSource } from '../../../../../functions/connectors/source.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-file-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function fileOf(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

async function readAll<T>(source: FeedSource<T>): Promise<readonly T[]> {
  const values: T[] = [];
  for await (const records of source.read()) {
    expect(records.length).toBeGreaterThan(0);
    expect(records.length).toBeLessThanOrEqual(1000);
    values.push(...records.map((record) => source.value.decode(record)));
  }
  return values;
}

describe('file source', () => {
  test('streams the elements of a JSON array of several chunks, in order', async () => {
    const values = Array.from({ length: 2500 }, (_, index) => ({ index, text: 'x'.repeat(1000) }));
    const path = await fileOf('big.json', JSON.stringify(values));

    expect(await readAll(fileSource({ path, format: 'json-array' }))).toEqual(values);
  });

  test('reads lines with a codec', async () => {
    const path = await fileOf('lines.txt', 'a\nb\n');

    expect(await readAll(fileSource({ path, format: 'lines', value: string() }))).toEqual(['a', 'b']);
  });

  test('gives the same records whenever it is read', async () => {
    const source = fileSource({ path: await fileOf('again.json', '[1,2]'), format: 'json-array' });

    expect(await readAll(source)).toEqual(await readAll(source));
  });

  test('repeats the file, each round rewritten', async () => {
    const path = await fileOf('rounds.txt', 'a\nb');
    const rewrite = (record: Uint8Array, round: number): Uint8Array => Buffer.concat([record, Buffer.from(String(round))]);

    expect(await readAll(fileSource({ path, format: 'lines', value: string(), repeat: 2, rewrite }))).toEqual(['a0', 'b0', 'a1', 'b1']);
  });

  test('looks for its file when it is read, not before', async () => {
    const calls: string[] = [];
    const path = await fileOf('late.txt', 'a');
    const source = fileSource({
      path: () => {
        calls.push(path);
        return path;
      },
      format: 'lines',
      value: string(),
    });

    expect(calls).toEqual([]);
    expect(await readAll(source)).toEqual(['a']);
  });

  test('names the file and the cause if it cannot be read', async () => {
    const source = fileSource({ path: join(folder, 'missing.json'), format: 'json-array' });

    await expect(readAll(source)).rejects.toMatchObject({
      code: 'MILLRACE_INPUT_UNREADABLE',
      message: expect.stringMatching(/missing\.json cannot be read: ENOENT/),
    });
  });

  test('names the place where it is no JSON array', async () => {
    const source = fileSource({ path: await fileOf('object.json', '{}'), format: 'json-array' });

    await expect(readAll(source)).rejects.toMatchObject({ code: 'MILLRACE_INPUT_UNREADABLE', message: expect.stringContaining('byte 0') });
  });

  test.each([{ path: undefined }, { format: 'csv' }, { repeat: 0 }, { repeat: NaN }])('refuses the option %p', (wrong) => {
    expect(() => fileSource({ path: 'a', format: 'lines', ...wrong } as never)).toThrow(
      expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID' }),
    );
  });
});
