import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CsvRows } from '../../../../../functions/connectors/file/csv-rows.ts';

/** The records as the topic gets them. */
function split(
  chunks: readonly (string | Uint8Array)[],
  options: { readonly columns?: readonly string[]; readonly delimiter?: string } = {},
) {
  const rows = new CsvRows({ name: 'in.csv', columns: options.columns, delimiter: options.delimiter ?? ',' });
  const records = [...chunks.flatMap((chunk) => rows.push(Buffer.from(chunk))), ...rows.end()];
  return records.map((record) => Buffer.from(record).toString());
}

const AB = { columns: ['a', 'b'] };

describe('rows', () => {
  test.each([
    ['a,b\n1,2\n', ['2 {"a":"1","b":"2"}']],
    ['a,b\r\n1,2\r\n3,4', ['2 {"a":"1","b":"2"}', '3 {"a":"3","b":"4"}']],
    ['\ufeffa,b\n1,2', ['2 {"a":"1","b":"2"}']],
    ['\ufeff"a",b\n1,2', ['2 {"a":"1","b":"2"}']],
    ['a,b\n\n\r\n1,2\n\n', ['4 {"a":"1","b":"2"}']],
    ['a,b\n,\n', ['2 {"a":"","b":""}']],
    ['a,b\n"1,1","say ""hi"""\n', ['2 {"a":"1,1","b":"say \\"hi\\""}']],
    ['a,b\n"one\ntwo",2\n3,4\n', ['2 {"a":"one\\ntwo","b":"2"}', '4 {"a":"3","b":"4"}']],
    ['a,b\n"one\r\ntwo",""\r\n', ['2 {"a":"one\\r\\ntwo","b":""}']],
    ['a,b\n ü , 2 \n', ['2 {"a":" ü ","b":" 2 "}']],
    ['', []],
    ['a,b', []],
  ])('of %j', (text, records) => {
    expect(split([text])).toEqual(records);
  });

  test('get the names of their columns from outside', () => {
    expect(split(['1;2\n3;4'], { ...AB, delimiter: ';' })).toEqual(['1 {"a":"1","b":"2"}', '2 {"a":"3","b":"4"}']);
  });

  test.each([
    ['1,2,3', '1 !it has 3 fields, and there are 2 columns\n1,2,3'],
    ['1', '1 !it has 1 fields, and there are 2 columns\n1'],
    ['1"1,2', '1 !field 1 has a quote inside, but none around it\n1"1,2'],
    ['1,"2"2', '1 !field 2 goes on behind its closing quote with "2"\n1,"2"2'],
    ['1," 2', '1 !field 2 begins with a quote that is never closed\n1," 2'],
  ])('that are wrong go on with the reason: %j', (row, record) => {
    expect(split([row], AB)).toEqual([record]);
  });

  test('behind a wrong one are read as ever', () => {
    expect(split(['1"1,2\n3,4\n5,"6"6"\n7,8'], AB)).toEqual([
      '1 !field 1 has a quote inside, but none around it\n1"1,2',
      '2 {"a":"3","b":"4"}',
      '3 !field 2 goes on behind its closing quote with "6"\n5,"6"6"',
      '4 {"a":"7","b":"8"}',
    ]);
  });

  test('that are no UTF-8 are refused one by one', () => {
    const [bad, good] = split([Buffer.from([0x31, 0x2c, 0xff, 0x0a]), '3,4'], AB);

    expect(bad).toMatch(/^1 !it is not UTF-8\n1,/);
    expect(good).toBe('2 {"a":"3","b":"4"}');
  });

  test('of any fields come back, in order and with their lines, however the text is cut', () => {
    const field = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r\n', 'ü', ' ') });
    fc.assert(
      fc.property(fc.array(fc.tuple(field, field)), fc.constantFrom('\n', '\r\n'), fc.array(fc.nat()), (rows, end, cuts) => {
        const texts = rows.map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`).join(',') + end);
        const bytes = Buffer.from(texts.join(''));
        const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((to, i) => bytes.subarray(at[i], to));
        let line = 1;
        const expected = rows.map(([a, b], i) => {
          const record = `${line} ${JSON.stringify({ a, b })}`;
          line += (texts[i] ?? '').split('\n').length - 1;
          return record;
        });

        expect(split(chunks, AB)).toEqual(expected);
      }),
    );
  });
});

describe('the whole file is refused', () => {
  test.each([
    ['a,a\n', 'its first row can\'t name its columns: two are named "a"'],
    ['a,\n', "its first row can't name its columns: column 2 has no name"],
    ['a,b"\n', "its first row can't name its columns: field 2 has a quote inside, but none around it"],
  ])('for the header %j', (text, message) => {
    expect(() => split([text])).toThrow(
      expect.objectContaining({ code: 'MILLRACE_INPUT_UNREADABLE', message: expect.stringContaining(`in.csv is no CSV: ${message}`) }),
    );
  });

  test('for a quote that swallows what follows, by the line of the quote', () => {
    const rest = '1,2\n'.repeat(300_000);

    expect(() => split(['1,2\n1,"2\n', rest], AB)).toThrow(/the row that begins in line 2 is longer than 1000000 bytes/);
  });
});
