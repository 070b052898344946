import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { isMillraceError, MillraceError } from '../../shared/errors.ts';
import { CsvRows } from './csv-rows.ts';
import { JsonArraySplitter } from './json-array.ts';
import { LineSplitter } from './lines.ts';
import { numbered } from './numbered-record.ts';
import type { FileSourceOptions } from './source.ts';
import type { Splitter } from './splitter.ts';

const CHUNK_BYTES = 1024 * 1024;
const RECORDS_PER_READ = 1000;
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/** The records of all rounds, cut out of the file in chunks. @throws MILLRACE_INPUT_UNREADABLE with the position */
export async function* readRounds<T>(options: FileSourceOptions<T>): AsyncGenerator<readonly Uint8Array[]> {
  const path = pathOf(options);
  for (let round = 0; round < (options.repeat ?? 1); round++) {
    const { splitter, rewrite } = openRound(options, path, round);
    for await (const records of readFile(path, splitter)) yield rewrite === undefined ? records : records.map(rewrite);
  }
}

/**
 * Reads the first chunk of the file, so that what is wrong with it from the start is known before anything runs. What is no file, a pipe for
 * instance, can be read only once.
 *
 * @throws MILLRACE_INPUT_UNREADABLE
 */
export async function checkFile<T>(options: FileSourceOptions<T>): Promise<void> {
  const path = pathOf(options);
  const stats = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (stats.isDirectory()) throw unreadable(path, new Error('it is a folder'));
  if (!stats.isFile()) return;
  const chunks = readFile(path, openRound(options, path, 0).splitter);
  await chunks.next();
  await chunks.return(undefined);
}

function pathOf<T>({ path }: FileSourceOptions<T>): string {
  return typeof path === 'string' ? path : path();
}

type Rewrite = (record: Uint8Array) => Uint8Array;

interface Round {
  readonly splitter: Splitter;
  /** What is still to be done to its records. */
  readonly rewrite?: Rewrite;
}

function openRound<T>(options: FileSourceOptions<T>, path: string, round: number): Round {
  const { format } = options;
  if (format === 'csv') {
    const { columns, delimiter = ',' } = options;
    return { splitter: new CsvRows({ name: path, columns, delimiter }) };
  }
  const given = options.rewrite;
  const rewrite: Rewrite | undefined = given && ((record) => given(record, round));
  if (format === 'json-lines') return { splitter: jsonLines(rewrite) };
  return { splitter: format === 'lines' ? new LineSplitter() : new JsonArraySplitter(path), ...(rewrite && { rewrite }) };
}

function jsonLines(rewrite: Rewrite = (record) => record): Splitter {
  return new LineSplitter((line, number) => numbered(number, rewrite(number === 1 ? withoutMark(line) : line)));
}

function withoutMark(line: Uint8Array): Uint8Array {
  return BYTE_ORDER_MARK.equals(line.subarray(0, BYTE_ORDER_MARK.length)) ? line.subarray(BYTE_ORDER_MARK.length) : line;
}

async function* readFile(path: string, splitter: Splitter): AsyncGenerator<readonly Uint8Array[]> {
  try {
    for await (const chunk of openFile(path)) yield* inParts(splitter.push(chunk as Buffer));
    yield* inParts(splitter.end());
  } catch (error) {
    throw isMillraceError(error) ? error : unreadable(path, error);
  }
}

/** A file that is named as gzip names its own is unpacked. */
function openFile(path: string): AsyncIterable<unknown> {
  const bytes = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  // Whoever reads the end of the pipeline gets its error.
  return path.endsWith('.gz') ? pipeline(bytes, createGunzip({ chunkSize: CHUNK_BYTES }), () => undefined) : bytes;
}

function unreadable(path: string, error: unknown): MillraceError {
  const why = (error as Partial<Error> | undefined)?.message ?? String(error);
  return new MillraceError('MILLRACE_INPUT_UNREADABLE', `${path} cannot be read: ${why}`, { cause: error });
}

function* inParts(records: readonly Uint8Array[]): Generator<readonly Uint8Array[]> {
  for (let from = 0; from < records.length; from += RECORDS_PER_READ) yield records.slice(from, from + RECORDS_PER_READ);
}
