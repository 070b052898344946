import { createReadStream } from 'node:fs';
import { isMillraceError, MillraceError } from '../../shared/errors.ts';
import { JsonArraySplitter } from './json-array.ts';
import { LineSplitter } from './lines.ts';
import type { FileSourceOptions } from './source.ts';
import type { Splitter } from './splitter.ts';

const CHUNK_BYTES = 1024 * 1024;
const RECORDS_PER_READ = 1000;

/** The records of all rounds, cut out of the file in chunks. @throws MILLRACE_INPUT_UNREADABLE with the position */
export async function* readRounds<T>(options: FileSourceOptions<T>): AsyncGenerator<readonly Uint8Array[]> {
  const path = typeof options.path === 'string' ? options.path : options.path();
  const { rewrite } = options;
  for (let round = 0; round < (options.repeat ?? 1); round++) {
    for await (const records of readFile(path, options.format)) {
      yield rewrite === undefined ? records : records.map((record) => rewrite(record, round));
    }
  }
}

async function* readFile(path: string, format: 'json-array' | 'lines'): AsyncGenerator<readonly Uint8Array[]> {
  const splitter: Splitter = format === 'lines' ? new LineSplitter() : new JsonArraySplitter(path);
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) yield* inParts(splitter.push(chunk as Buffer));
    yield* inParts(splitter.end());
  } catch (error) {
    if (isMillraceError(error)) throw error;
    const why = (error as Partial<Error> | undefined)?.message ?? String(error);
    throw new MillraceError('MILLRACE_INPUT_UNREADABLE', `${path} cannot be read: ${why}`, { cause: error });
  }
}

function* inParts(records: readonly Uint8Array[]): Generator<readonly Uint8Array[]> {
  for (let from = 0; from < records.length; from += RECORDS_PER_READ) yield records.slice(from, from + RECORDS_PER_READ);
}
