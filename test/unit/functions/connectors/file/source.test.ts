import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { json } from '../../../../../functions/codec/json.ts';
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

async function fileOf(name: string, text: string | Uint8Array): Promise<string> {
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

  test.each([{ path: undefined }, { format: 'tsv' }, { repeat: 0 }, { repeat: NaN }])('refuses the option %p', (wrong) => {
    expect(() => fileSource({ path: 'a', format: 'lines', ...wrong } as never)).toThrow(
      expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID' }),
    );
  });

  test.each([{ delimiter: '' }, { delimiter: '"' }, { delimiter: ';;' }, { columns: [] }, { columns: ['a', 'a'] }, { columns: [''] }])(
    'refuses the option %p of CSV',
    (wrong) => {
      expect(() => fileSource({ path: 'a', format: 'csv', ...wrong })).toThrow(
        expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID' }),
      );
    },
  );
});

/** What each record decodes to, or the code and message of its refusal. */
async function readEach<T>(source: FeedSource<T>): Promise<readonly unknown[]> {
  const results: unknown[] = [];
  for await (const records of source.read()) {
    for (const record of records) {
      try {
        results.push(source.value.decode(record));
      } catch (error) {
        const { code, message } = error as { code: string; message: string };
        results.push(`${code}: ${message}`);
      }
    }
  }
  return results;
}

describe('JSON lines', () => {
  test('name the file and the line of what is refused', async () => {
    const path = await fileOf('bad.jsonl', '\ufeff{"id":1}\n\n{"id":\r\n{"id":"x"}\n{"id":5}');
    const source = fileSource({ path, format: 'json-lines', value: json(z.object({ id: z.number() })) });

    expect(await readEach(source)).toEqual([
      { id: 1 },
      expect.stringMatching(/^MILLRACE_DECODE_FAILED: .*bad\.jsonl, line 3: the record is no JSON/),
      expect.stringMatching(/^MILLRACE_SCHEMA_MISMATCH: .*bad\.jsonl, line 4: the record does not match its zod schema/),
      { id: 5 },
    ]);
  });

  test('can be rewritten in each round', async () => {
    const path = await fileOf('rounds.jsonl', '{"id":1}\n');
    const rewrite = (record: Uint8Array, round: number): Uint8Array =>
      Buffer.from(Buffer.from(record).toString().replace('1', `1${round}`));

    expect(await readAll(fileSource({ path, format: 'json-lines', repeat: 2, rewrite }))).toEqual([{ id: 10 }, { id: 11 }]);
  });

  test('are values as they are where a test gives them', () => {
    const { value } = fileSource({ path: 'none.jsonl', format: 'json-lines' });

    for (const given of [12, '12 a', { a: 1 }, [1]]) expect(value.decode(value.encode(given))).toEqual(given);
  });
});

describe('CSV', () => {
  const Row = z.object({ id: z.coerce.number(), name: z.string() });

  test('gives records of text, or what a schema makes of them', async () => {
    const path = await fileOf('rows.csv', 'id,name\n1,"a\nb"\n2,c\n');

    expect(await readAll(fileSource({ path, format: 'csv' }))).toEqual([
      { id: '1', name: 'a\nb' },
      { id: '2', name: 'c' },
    ]);
    expect(await readAll(fileSource({ path, format: 'csv', schema: Row }))).toEqual([
      { id: 1, name: 'a\nb' },
      { id: 2, name: 'c' },
    ]);
  });

  test('names the file and the line of what is refused', async () => {
    const path = await fileOf('bad.csv', 'id,name\n1,"a\nb"\nx,c\n3\n4,d');

    expect(await readEach(fileSource({ path, format: 'csv', schema: Row }))).toEqual([
      { id: 1, name: 'a\nb' },
      expect.stringMatching(/^MILLRACE_SCHEMA_MISMATCH: .*bad\.csv, line 4: .*id: /),
      expect.stringMatching(/^MILLRACE_DECODE_FAILED: .*bad\.csv, line 5: it has 1 fields, and there are 2 columns$/),
      { id: 4, name: 'd' },
    ]);
  });
});

describe('gzip', () => {
  test('is unpacked where the name says so, member by member', async () => {
    const members = ['{"a":1}\n{"a"', ':2}\n'].map((text) => gzipSync(text));
    const path = await fileOf('packed.jsonl.gz', Buffer.concat(members));

    expect(await readAll(fileSource({ path, format: 'json-lines' }))).toEqual([{ a: 1 }, { a: 2 }]);
  });

  test.each([
    ['cut.csv.gz', gzipSync('a,b\n1,2\n').subarray(0, 20), /cut\.csv\.gz cannot be read: unexpected end of file/],
    ['plain.csv.gz', Buffer.from('a,b\n1,2\n'), /plain\.csv\.gz cannot be read: incorrect header check/],
  ])('that is damaged is named: %s', async (name, bytes, message) => {
    const source = fileSource({ path: await fileOf(name, bytes), format: 'csv' });

    await expect(readEach(source)).rejects.toMatchObject({ code: 'MILLRACE_INPUT_UNREADABLE', message: expect.stringMatching(message) });
  });
});

describe('the check before the start', () => {
  test.each([
    ['a file that is not there', () => Promise.resolve(join(folder, 'nowhere.csv')), /nowhere\.csv cannot be read: ENOENT/],
    ['a folder', () => Promise.resolve(folder), /cannot be read: it is a folder/],
    ['a header that names a column twice', () => fileOf('twice.csv', 'a,a\n'), /twice\.csv is no CSV/],
  ])('refuses %s', async (_, file, message) => {
    const source = fileSource({ path: await file(), format: 'csv' });

    await expect(source.check?.()).rejects.toMatchObject({
      code: 'MILLRACE_INPUT_UNREADABLE',
      message: expect.stringMatching(message),
    });
  });

  test('leaves bad rows to the run', async () => {
    const source = fileSource({ path: await fileOf('later.csv', 'a,b\n1\n'), format: 'csv' });

    await expect(source.check?.()).resolves.toBeUndefined();
  });
});
