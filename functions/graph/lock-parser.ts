import { MillraceError } from '../shared/errors.ts';
import { LOCK_FILE, type LockFile, type OperatorLock, type PipelineLock, type StateLock } from './lock.ts';
import type { StateShape } from './stage-plan.ts';

const STATE_KINDS: readonly StateShape['kind'][] = ['value', 'list', 'map', 'reducing', 'aggregating'];

/** Reads a lock file's text. @throws MILLRACE_LOCK_INVALID with the place that is wrong. */
export function parseLock(text: string): LockFile {
  const root = parseRecord(parseJson(text), 'the file');
  if (root['version'] !== 1) throw invalid(`version is ${JSON.stringify(root['version'])}, and this Millrace reads version 1`);
  return { version: 1, pipelines: mapRecord(root['pipelines'], 'pipelines', parsePipeline) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error), error);
  }
}

function parsePipeline(value: unknown, place: string): PipelineLock {
  const record = parseRecord(value, place);
  const whole = (name: string): number => {
    const given = record[name];
    if (typeof given === 'number' && Number.isSafeInteger(given) && given >= 1) return given;
    throw invalid(`${place}.${name} must be a whole number, at least 1`);
  };
  return {
    generation: whole('generation'),
    maxParallelism: whole('maxParallelism'),
    stateFragments: whole('stateFragments'),
    operators: mapRecord(record['operators'], `${place}.operators`, parseOperator),
  };
}

function parseOperator(value: unknown, place: string): OperatorLock {
  const record = parseRecord(value, place);
  return {
    kind: parseText(record['kind'], `${place}.kind`),
    stage: parseText(record['stage'], `${place}.stage`),
    states: mapRecord(record['states'], `${place}.states`, parseState),
  };
}

function parseState(value: unknown, place: string): StateLock {
  const record = parseRecord(value, place);
  const kind = STATE_KINDS.find((known) => known === record['kind']);
  if (kind === undefined) throw invalid(`${place}.kind must be one of ${STATE_KINDS.join(', ')}`);
  const { version } = record;
  if (version !== undefined && !(Number.isSafeInteger(version) && (version as number) >= 1))
    throw invalid(`${place}.version must be a whole number, at least 1`);
  return { kind, type: parseText(record['type'], `${place}.type`), ...(version !== undefined && { version: version as number }) };
}

function parseText(value: unknown, place: string): string {
  if (typeof value === 'string') return value;
  throw invalid(`${place} must be text`);
}

function parseRecord(value: unknown, place: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  throw invalid(`${place} must be an object`);
}

function mapRecord<T>(value: unknown, place: string, parse: (value: unknown, place: string) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(parseRecord(value, place)).map(([name, item]) => [name, parse(item, `${place}.${name}`)]));
}

function invalid(why: string, cause?: unknown): MillraceError {
  return new MillraceError('MILLRACE_LOCK_INVALID', `${LOCK_FILE} cannot be used: ${why}; restore it from version control`, { cause });
}
