import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bytes } from '../../../../../functions/codec/bytes.ts';
import { CsvRows } from '../../../../../functions/connectors/file/csv-rows.ts';
import { lineFormat } from '../../../../../functions/connectors/file/line-format.ts';
import { fileSink } from '../../../../../functions/connectors/file/sink.ts';

type Row = Readonly<Record<string, unknown>>;

function csv(rows: readonly Row[], options: { readonly delimiter?: string; readonly header?: boolean } = {}): string {
  const { header, toLine } = lineFormat<Row>({ path: '', format: 'csv', columns: ['a', 'b'], ...options });
  return Buffer.concat([...(header ? [header] : []), ...rows.map(toLine)]).toString();
}

describe('CSV', () => {
  test('is written as RFC 4180 has it', () => {
    const rows = [
      { a: 1, b: 'x' },
      { a: 'say "hi"', b: 'one, two' },
      { a: 'one\ntwo', b: true },
      { a: null, b: undefined, c: 'left out' },
      { a: 10n, b: new Date(0) },
    ];

    expect(csv(rows)).toBe('a,b\r\n1,x\r\n"say ""hi""","one, two"\r\n"one\ntwo",true\r\n,\r\n10,1970-01-01T00:00:00.000Z\r\n');
    expect(csv([{ a: 'x;y', b: 'x,y' }], { delimiter: ';', header: false })).toBe('"x;y";x,y\r\n');
  });

  test('is read back as it was written', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', 'ü', ' ') });
    fc.assert(
      fc.property(fc.array(fc.record({ a: text, b: text })), (rows) => {
        const reader = new CsvRows({ name: 'in.csv', columns: undefined, delimiter: ',' });
        const records = [...reader.push(Buffer.from(csv(rows))), ...reader.end()];

        expect(records.map((record) => JSON.parse(Buffer.from(record).toString().replace(/^\d+ /, '')))).toEqual(rows);
      }),
    );
  });

  test('of one empty column is no empty line', () => {
    const { toLine } = lineFormat<Row>({ path: '', format: 'csv', columns: ['a'] });

    expect(Buffer.from(toLine({ a: '' })).toString()).toBe('""\r\n');
  });

  test.each([
    [{ a: {} }, /column "a" is an object/],
    [{ a: () => 1 }, /column "a" is a function/],
    [{ a: new Date(NaN) }, /column "a" is an object/],
    ['text', /a row of CSV is made of an object, and this is text/],
  ])('refuses the record %p', (row, message) => {
    expect(() => csv([row as Row])).toThrow(
      expect.objectContaining({ code: 'MILLRACE_VALUE_NOT_ENCODABLE', message: expect.stringMatching(message) }),
    );
  });
});

test('a codec that writes several lines for a record fails it', () => {
  const { toLine } = lineFormat<Uint8Array>({ path: '', format: 'json-lines', value: bytes() });

  expect(Buffer.from(toLine(Buffer.from('1'))).toString()).toBe('1\n');
  expect(() => toLine(Buffer.from('1\n2'))).toThrow(expect.objectContaining({ code: 'MILLRACE_VALUE_NOT_ENCODABLE' }));
});

test.each([
  { path: '' },
  { path: undefined },
  { format: 'xml' },
  { format: 'csv' },
  { format: 'csv', columns: [] },
  { format: 'csv', columns: ['a', 'a'] },
  { format: 'csv', columns: ['a'], delimiter: '' },
])('refuses the options %p', (wrong) => {
  expect(() => fileSink({ path: 'out', format: 'json-lines', ...wrong } as never)).toThrow(
    expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID' }),
  );
});
