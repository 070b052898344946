import { isMillraceError, MillraceError } from '../../shared/errors.ts';
import { decodeUtf8 } from '../../codec/utf8.ts';
import { wrongColumns } from './csv-options.ts';
import { parseCsvRow } from './csv-row.ts';
import { numbered } from './numbered-record.ts';
import { PartialRecord, type Splitter } from './splitter.ts';

const QUOTE = 0x22;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = '\ufeff';

/** Longest row in bytes: what is longer begins with a quote that is never closed, or would not fit into a message. */
const MAX_ROW_BYTES = 1_000_000;

export interface CsvRowsOptions {
  /** Of the input, for messages. */
  readonly name: string;
  /** Of the fields; undefined: the first row has them. */
  readonly columns: readonly string[] | undefined;
  /** One ASCII character. */
  readonly delimiter: string;
}

/** What the next byte may be. */
type Place = 'start of a field' | 'plain field' | 'quoted field' | 'quote in a quoted field';

/**
 * Splits CSV into rows, and writes each as a JSON object of its fields by their columns' names, with its line before it. A row that can't be
 * taken apart goes on with what is wrong, for the first stage to refuse; the next line begins a new one.
 */
export class CsvRows implements Splitter {
  private readonly options: CsvRowsOptions;
  private readonly delimiter: number;
  private columns: readonly string[] | undefined;
  private readonly partial = new PartialRecord();
  private partialBytes = 0;
  private place: Place = 'start of a field';
  /** Bytes before the current chunk. */
  private before = 0;
  private line = 1;
  /** Of the row under way. */
  private firstLine = 1;

  constructor(options: CsvRowsOptions) {
    this.options = options;
    this.delimiter = options.delimiter.charCodeAt(0);
    this.columns = options.columns;
  }

  push(chunk: Uint8Array): readonly Uint8Array[] {
    const records: Uint8Array[] = [];
    let from = 0;
    for (let end = this.endOfRow(chunk, from); end !== -1; end = this.endOfRow(chunk, from)) {
      this.take(chunk.subarray(from, end), records);
      from = end + 1;
    }
    this.partial.add(chunk.subarray(from));
    this.partialBytes += chunk.length - from;
    this.before += chunk.length;
    if (this.partialBytes > MAX_ROW_BYTES) throw this.tooLong();
    return records;
  }

  end(): readonly Uint8Array[] {
    const records: Uint8Array[] = [];
    this.take(new Uint8Array(0), records);
    return records;
  }

  /** Index of the line end behind the row that is under way, or -1. The hot loop: every byte of the input once. */
  private endOfRow(chunk: Uint8Array, from: number): number {
    const { delimiter } = this;
    let { place, line } = this;
    let end = -1;
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at];
      if (byte === NEWLINE) line++;
      if (place === 'quoted field') {
        if (byte === QUOTE) place = 'quote in a quoted field';
      } else if (byte === NEWLINE) {
        place = 'start of a field';
        end = at;
        break;
      } else if (byte === delimiter) place = 'start of a field';
      else if (byte === QUOTE && place !== 'plain field') place = 'quoted field';
      // A byte order mark leaves the first field at its start.
      else if (byte !== MARK_BYTES[this.before + at]) place = 'plain field';
    }
    this.place = place;
    this.line = line;
    return end;
  }

  private take(end: Uint8Array, records: Uint8Array[]): void {
    const bytes = this.partial.take(end);
    this.partialBytes = 0;
    const { firstLine } = this;
    this.firstLine = this.line;
    if (bytes.length > MAX_ROW_BYTES) throw this.tooLong();
    const row = bytes[bytes.length - 1] === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes;
    if (row.length === 0) return;
    const record = this.toRecord(row, firstLine);
    if (record !== undefined) records.push(record);
  }

  /** Undefined for the row that names the columns. */
  private toRecord(bytes: Uint8Array, line: number): Uint8Array | undefined {
    const text = toText(bytes);
    if (text === undefined) return refused(line, 'it is not UTF-8', bytes);
    const row = line === 1 && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
    const parsed = parseCsvRow(row, this.options.delimiter);
    if (this.columns === undefined) {
      this.columns = this.checkHeader('wrong' in parsed ? parsed.wrong : parsed.fields);
      return undefined;
    }
    if ('wrong' in parsed) return refused(line, parsed.wrong, bytes);
    const { fields } = parsed;
    const { columns } = this;
    if (fields.length !== columns.length)
      return refused(line, `it has ${fields.length} fields, and there are ${columns.length} columns`, bytes);
    return numbered(line, Buffer.from(JSON.stringify(Object.fromEntries(columns.map((column, i) => [column, fields[i]])))));
  }

  private checkHeader(header: readonly string[] | string): readonly string[] {
    const wrong = typeof header === 'string' ? header : wrongColumns(header);
    if (wrong === undefined) return header as readonly string[];
    throw this.unreadable(`its first row can't name its columns: ${wrong}; for a file without a header give columns: ['…']`);
  }

  private tooLong(): MillraceError {
    return this.unreadable(
      `the row that begins in line ${this.firstLine} is longer than ${MAX_ROW_BYTES} bytes: is there a quote in it that is never closed?`,
    );
  }

  private unreadable(what: string): MillraceError {
    return new MillraceError('MILLRACE_INPUT_UNREADABLE', `${this.options.name} is no CSV: ${what}`);
  }
}

const MARK_BYTES = Buffer.from(BYTE_ORDER_MARK);

function toText(bytes: Uint8Array): string | undefined {
  try {
    return decodeUtf8(bytes);
  } catch (error) {
    if (isMillraceError(error, 'MILLRACE_DECODE_FAILED')) return undefined;
    throw error;
  }
}

/** A row as it stood, with the reason before it: the codec of the source throws that. */
function refused(line: number, reason: string, row: Uint8Array): Uint8Array {
  return numbered(line, Buffer.concat([Buffer.from(`!${reason}\n`), row]));
}
