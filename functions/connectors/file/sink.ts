import type { Codec } from '../../codec/codec.ts';
import { MillraceError } from '../../shared/errors.ts';
import type { Sink, SinkContext } from '../sink.ts';
import { isDelimiter, wrongColumns } from './csv-options.ts';
import { lineFormat } from './line-format.ts';
import { PartWriter } from './part-writer.ts';

export type FileSinkOptions<T> = {
  /** Relative to the working directory of the functions; made if it is not there. All environments of the stage must see the same one. */
  readonly path: string;
} & (
  | {
      /** A line of JSON for each record. */
      readonly format: 'json-lines';
      /** Writes one record, in one line. @default json() */
      readonly value?: Codec<T>;
    }
  | {
      /** A row for each record, as RFC 4180 has it: a record is an object of text, numbers, booleans, dates (as ISO 8601) or nothing. */
      readonly format: 'csv';
      /** Fields of the record, in this order. */
      readonly columns: readonly (keyof T & string)[];
      /** Between fields: one ASCII character. @default ',' */
      readonly delimiter?: string;
      /** Whether each file begins with the names of the columns. @default true */
      readonly header?: boolean;
    }
);

/**
 * Writes a folder of files, exactly once: each batch of a task becomes one file, `part-<stage>-<partition>-<offset>-<id>.jsonl` or `.csv`,
 * which appears under that name whole, when it is on the disk, and never changes. What is visible are the outputs of all input of the task up to
 * some offset, each once, however often batches come again and in whatever cuts. What stands in the folder `.millrace` beside the parts is
 * no output; as long as the pipeline goes on it must stay there. Its stage has a fence.
 *
 * The folder must be on a disk that outlives the function: that of the machine with `millrace dev`, a shared file system elsewhere.
 *
 * @throws MILLRACE_OPTION_INVALID; before the start and at run time MILLRACE_OUTPUT_UNWRITABLE; at run time MILLRACE_OUTPUT_FOREIGN, where the
 * folder holds what another run wrote.
 * @example file.sink({ path: 'totals', format: 'csv', columns: ['customer', 'total'] })
 */
export function fileSink<T>(options: FileSinkOptions<T>): Sink<T> {
  checkOptions(options);
  const format = lineFormat(options);
  const { path } = options;
  return Object.freeze({
    kind: 'file',
    folder: path,
    open: (context: SinkContext) => new PartWriter(path, format, context),
    check: () => checkLater(path),
  });
}

async function checkLater(path: string): Promise<void> {
  const { checkFolder } = await import('./part-folder.ts');
  await checkFolder(path);
}

function checkOptions<T>(options: FileSinkOptions<T>): void {
  const { path, format } = options;
  const given: unknown = format;
  const wrong =
    typeof path !== 'string' || path === ''
      ? 'path is missing: give the name of a folder'
      : given !== 'json-lines' && given !== 'csv'
        ? `format is ${JSON.stringify(given)}: give 'json-lines' or 'csv'`
        : format === 'csv'
          ? wrongCsv(options)
          : undefined;
  if (wrong !== undefined) throw new MillraceError('MILLRACE_OPTION_INVALID', `file.sink(): ${wrong}`);
}

function wrongCsv<T>({ columns, delimiter = ',' }: FileSinkOptions<T> & { readonly format: 'csv' }): string | undefined {
  const wrong = wrongColumns(columns);
  if (wrong !== undefined) return `columns: ${wrong}; give the name of each column once`;
  if (isDelimiter(delimiter)) return undefined;
  return `delimiter is ${JSON.stringify(delimiter)}: give one ASCII character that is no quote and ends no line`;
}
