import { json } from '../../codec/json.ts';
import { MillraceError } from '../../shared/errors.ts';
import type { FileSinkOptions } from './sink.ts';

const NEWLINE = 0x0a;

/** How records become lines of a file. */
export interface LineFormat<T> {
  readonly extension: string;
  /** First line of each file, with its line end; undefined for none. */
  readonly header: Uint8Array | undefined;
  /** With its line end. @throws MILLRACE_VALUE_NOT_ENCODABLE */
  toLine(value: T): Uint8Array;
}

export function lineFormat<T>(options: FileSinkOptions<T>): LineFormat<T> {
  return options.format === 'csv' ? csvFormat(options) : jsonFormat(options);
}

function jsonFormat<T>({ value: codec = json<T>() }: FileSinkOptions<T> & { readonly format: 'json-lines' }): LineFormat<T> {
  return {
    extension: 'jsonl',
    header: undefined,
    toLine: (value) => {
      const bytes = codec.encode(value);
      if (bytes.includes(NEWLINE))
        throw notEncodable('its codec has put a line end into the line of a record: give one that writes one line');
      return Buffer.concat([bytes, LINE_END]);
    },
  };
}

const LINE_END = Buffer.from('\n');

function csvFormat<T>({ columns, delimiter = ',', header = true }: FileSinkOptions<T> & { readonly format: 'csv' }): LineFormat<T> {
  const toRow = (cells: readonly string[]): Uint8Array => {
    const row = cells.map((cell) => quoted(cell, delimiter)).join(delimiter);
    return Buffer.from(`${row === '' ? '""' : row}\r\n`); // an empty line would be no row
  };
  return {
    extension: 'csv',
    header: header ? toRow(columns) : undefined,
    toLine: (value) => {
      if (typeof value !== 'object' || value === null)
        throw notEncodable(`a row of CSV is made of an object, and this is ${String(value)}`);
      return toRow(columns.map((column) => toCell(column, (value as Readonly<Record<string, unknown>>)[column])));
    },
  };
}

function quoted(cell: string, delimiter: string): string {
  return cell.includes(delimiter) || /["\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

function toCell(column: string, value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'undefined':
      return '';
    default:
      if (value === null) return '';
      if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
      throw notEncodable(
        `column ${JSON.stringify(column)} is ${typeof value === 'object' ? 'an object' : `a ${typeof value}`}: map it to text, a number, true or false, a date or nothing first`,
      );
  }
}

function notEncodable(reason: string): MillraceError {
  return new MillraceError('MILLRACE_VALUE_NOT_ENCODABLE', `a record cannot be written to a file: ${reason}`);
}
