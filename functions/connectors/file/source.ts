import type { Codec } from '../../codec/codec.ts';
import { json } from '../../codec/json.ts';
import { MillraceError } from '../../shared/errors.ts';
import type { FeedSource } from '../source.ts';

export interface FileSourceOptions<T> {
  /** Relative to the working directory of whoever feeds; a function is called when the file is read, not while planning. */
  readonly path: string | (() => string);
  /** `json-array`: one array, each element a record. `lines`: each line a record, empty ones left out. */
  readonly format: 'json-array' | 'lines';
  /** Decodes one record in the first stage. @default json() */
  readonly value?: Codec<T>;
  /** How often the file is read. @default 1 */
  readonly repeat?: number;
  /** Changes the bytes of a record, for instance its date, in a repetition; `round` counts from 0. Pure. */
  readonly rewrite?: (record: Uint8Array, round: number) => Uint8Array;
}

/**
 * A bounded source: a feeder streams the file into the source's topic, in memory of a few chunks however large it is. Records are only
 * cut out here; decoding, and what it refuses, is the first stage's.
 *
 * @throws MILLRACE_OPTION_INVALID; while reading MILLRACE_INPUT_UNREADABLE with the position.
 * @example file.source({ path: 'flights.json', format: 'json-array', value: json(Flight) })
 */
export function fileSource<T>(options: FileSourceOptions<T>): FeedSource<T> {
  checkOptions(options);
  const value = options.value ?? json<T>();
  return Object.freeze({ kind: 'feed', name: 'file', bounded: true, value, read: () => readLater(options) });
}

function checkOptions<T>({ path, format, repeat = 1 }: FileSourceOptions<T>): void {
  const wrong =
    typeof path !== 'string' && typeof path !== 'function'
      ? 'path is missing: give the name of a file'
      : !['json-array', 'lines'].includes(format)
        ? `format is ${JSON.stringify(format)}: give 'json-array' or 'lines'`
        : !Number.isSafeInteger(repeat) || repeat < 1
          ? `repeat is ${String(repeat)}: give a whole number, at least 1`
          : undefined;
  if (wrong !== undefined) throw new MillraceError('MILLRACE_OPTION_INVALID', `file.source(): ${wrong}`);
}

/** Loaded by whoever feeds: the reading is in no function's bundle. */
async function* readLater<T>(options: FileSourceOptions<T>): AsyncGenerator<readonly Uint8Array[]> {
  const { readRounds } = await import('./reader.ts');
  yield* readRounds(options);
}
