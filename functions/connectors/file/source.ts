import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Codec } from '../../codec/codec.ts';
import { json } from '../../codec/json.ts';
import { MillraceError } from '../../shared/errors.ts';
import type { FeedSource } from '../source.ts';
import { isDelimiter, wrongColumns } from './csv-options.ts';
import { numberedCodec } from './numbered-record.ts';

export type FileSourceOptions<T> = {
  /**
   * Relative to the working directory of whoever feeds; a function is called when the file is read, not while planning. A name that ends in
   * `.gz` is that of a gzip file, which is unpacked.
   */
  readonly path: string | (() => string);
  /** How often the file is read. @default 1 */
  readonly repeat?: number;
} & (
  | {
      /**
       * `json-lines`: each line a record in JSON; errors name the line. `lines`: each line a record for any codec. Empty lines are left out.
       * `json-array`: one array, each element a record.
       */
      readonly format: 'json-lines' | 'json-array' | 'lines';
      /** Decodes one record in the first stage. @default json() */
      readonly value?: Codec<T>;
      /** Changes the bytes of a record, for instance its date, in a repetition; `round` counts from 0. Pure. */
      readonly rewrite?: (record: Uint8Array, round: number) => Uint8Array;
      readonly schema?: never;
      readonly columns?: never;
      readonly delimiter?: never;
    }
  | {
      /** Rows of fields, as RFC 4180 has them; each a record with its columns' names and text. Errors name the line. */
      readonly format: 'csv';
      /**
       * Makes typed records of the text: a schema of any Standard Schema library, for instance `z.object({ id: z.coerce.number() })`.
       *
       * @default - records of text
       */
      readonly schema?: StandardSchemaV1<unknown, T>;
      /** Names of the columns. @default - the first row has them */
      readonly columns?: readonly string[];
      /** Between fields: one ASCII character. @default ',' */
      readonly delimiter?: string;
      readonly value?: never;
      readonly rewrite?: never;
    }
);

/**
 * A bounded source: a feeder streams the file into the source's topic, in memory of a few chunks however large it is. Records are only
 * cut out here; decoding, and what it refuses, is the first stage's: a bad line becomes a dead letter.
 *
 * @throws MILLRACE_OPTION_INVALID; before the start and while reading MILLRACE_INPUT_UNREADABLE with the position.
 * @example file.source({ path: 'flights.jsonl', format: 'json-lines', value: json(Flight) })
 * @example file.source({ path: 'flights.csv.gz', format: 'csv', schema: z.object({ origin: z.string(), delay: z.coerce.number() }) })
 */
export function fileSource(
  options: FileSourceOptions<never> & { readonly format: 'csv'; readonly schema?: never },
): FeedSource<Readonly<Record<string, string>>>;
export function fileSource<T>(options: FileSourceOptions<T>): FeedSource<T>;
export function fileSource<T>(options: FileSourceOptions<T>): FeedSource<T> {
  checkOptions(options);
  const value = codecOf(options);
  return Object.freeze({
    kind: 'feed',
    name: 'file',
    bounded: true,
    value,
    read: () => readLater(options),
    check: () => checkLater(options),
  });
}

function codecOf<T>(options: FileSourceOptions<T>): Codec<T> {
  const file = typeof options.path === 'string' ? options.path : 'the file';
  if (options.format === 'csv') {
    const codec = options.schema === undefined ? json<T>() : json(options.schema);
    return { ...numberedCodec(file, codec), name: codec.name.replace('json', 'csv') };
  }
  const value = options.value ?? json<T>();
  return options.format === 'json-lines' ? numberedCodec(file, value) : value;
}

const FORMATS = ['json-lines', 'csv', 'json-array', 'lines'];

function checkOptions<T>(options: FileSourceOptions<T>): void {
  const { path, format, repeat = 1 } = options;
  const wrong =
    typeof path !== 'string' && typeof path !== 'function'
      ? 'path is missing: give the name of a file'
      : !FORMATS.includes(format)
        ? `format is ${JSON.stringify(format)}: give ${FORMATS.map((one) => `'${one}'`).join(', ')}`
        : !Number.isSafeInteger(repeat) || repeat < 1
          ? `repeat is ${String(repeat)}: give a whole number, at least 1`
          : format === 'csv'
            ? wrongCsv(options)
            : undefined;
  if (wrong !== undefined) throw new MillraceError('MILLRACE_OPTION_INVALID', `file.source(): ${wrong}`);
}

function wrongCsv<T>({ columns, delimiter = ',' }: FileSourceOptions<T>): string | undefined {
  if (!isDelimiter(delimiter))
    return `delimiter is ${JSON.stringify(delimiter)}: give one ASCII character that is no quote and ends no line, ',' or ';' or '\\t' for instance`;
  if (columns === undefined) return undefined;
  const wrong = wrongColumns(columns);
  return wrong && `columns: ${wrong}; give the name of each column once`;
}

/** Loaded by whoever feeds: the reading is in no function's bundle. */
async function* readLater<T>(options: FileSourceOptions<T>): AsyncGenerator<readonly Uint8Array[]> {
  const { readRounds } = await import('./reader.ts');
  yield* readRounds(options);
}

async function checkLater<T>(options: FileSourceOptions<T>): Promise<void> {
  const { checkFile } = await import('./reader.ts');
  await checkFile(options);
}
